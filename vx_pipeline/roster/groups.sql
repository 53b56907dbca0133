-- roster.groups: classes and teams of the running school year.
-- grain:  one row for each class or team
-- key:    group_id
-- source: veracross.classes, athletics_rosters; roster.dorms
--
-- A team is a class that has an athletics roster. A dorm is a class too, but it is a house, not a group. The
-- running school year is that of the dorms in use; where no dorm is in use, the status alone decides.
CREATE OR REPLACE TABLE roster.groups AS
WITH running AS (
    SELECT DISTINCT school_year FROM roster.dorms WHERE in_use
),

teams AS (
    SELECT DISTINCT internal_class_id FROM veracross.athletics_rosters WHERE _missing_since IS NULL
)
SELECT
    class.id AS group_id,
    CASE WHEN team.internal_class_id IS NULL THEN 'class' ELSE 'team' END AS kind,
    class.description AS name,
    coalesce(class.school_year_label, class.school_year) AS school_year,
    class.status_label AS status,
    class.primary_teacher__id AS teacher_id
FROM veracross.classes AS class
LEFT JOIN teams AS team ON team.internal_class_id = class.id
WHERE class._missing_since IS NULL
    AND class.id NOT IN (SELECT dorm_id FROM roster.dorms)
    AND NOT coalesce(list_contains($inactive_class_statuses, lower(trim(class.status_label))), FALSE)
    AND (
        coalesce(class.school_year_label, class.school_year) IN (FROM running)
        OR NOT EXISTS (FROM running)
    )
ORDER BY group_id;
