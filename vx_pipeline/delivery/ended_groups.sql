-- delivery.ended_groups: classes that are over for certain, so that a group of an earlier delivery is archived.
-- grain:  one row for each class that is not of today
-- key:    group_id
-- source: veracross.classes; roster.dorms
--
-- A class that one read did not bring, or whose school year nobody wrote down, is not over on that account.
CREATE OR REPLACE TABLE delivery.ended_groups AS
WITH running AS (
    SELECT DISTINCT school_year FROM roster.dorms WHERE in_use
)
SELECT
    class.id AS group_id,
    CASE
        WHEN class._missing_reads >= 2 THEN 'not found in two complete reads'
        WHEN list_contains($inactive_class_statuses, lower(trim(class.status_label)))
            THEN 'the status is ' || class.status_label
        WHEN class.id IN (SELECT dorm_id FROM roster.dorms) THEN 'it is a dorm'
        WHEN EXISTS (FROM running WHERE school_year IS NOT NULL)
            AND coalesce(class.school_year_label, class.school_year) NOT IN (
                SELECT school_year FROM running WHERE school_year IS NOT NULL
            )
            THEN 'of school year ' || coalesce(class.school_year_label, class.school_year)
    END AS reason
FROM veracross.classes AS class
WHERE reason IS NOT NULL
ORDER BY class.id;
