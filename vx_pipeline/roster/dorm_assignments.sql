-- roster.dorm_assignments: every dorm enrolment, and whether it holds today.
-- grain:  one row for each dorm enrolment row
-- key:    assignment_id
-- source: veracross.dorm_students, roster.dorms
--
-- An enrolment that one read did not bring still holds: nobody stops boarding because a feed came up short.
CREATE OR REPLACE TABLE roster.dorm_assignments AS
SELECT
    assignment.id AS assignment_id,
    assignment.student_id,
    assignment.dorm_id,
    dorm.name AS dorm_name,
    nullif(trim(assignment.room_number), '') AS room_number,
    CAST(CAST(assignment.bed_number AS BIGINT) AS VARCHAR) AS bed_number,
    assignment.late_date_enrolled,
    assignment.date_withdrawn,
    assignment.currently_enrolled,
    coalesce(dorm.in_use, FALSE) AS dorm_in_use,
    assignment._missing_since IS NULL AS is_listed,
    CASE
        WHEN assignment._missing_reads >= 2 THEN 'the dorm enrolment is no longer listed'
        WHEN dorm.dorm_id IS NULL THEN 'dorm ' || assignment.dorm_id || ' is not listed'
        WHEN NOT dorm.in_use THEN 'dorm ' || assignment.dorm_id || ': ' || dorm.why_not
        WHEN assignment.date_withdrawn <= $today THEN 'withdrawn on ' || assignment.date_withdrawn
        WHEN assignment.late_date_enrolled > $today THEN 'enrols on ' || assignment.late_date_enrolled
        WHEN NOT assignment.currently_enrolled THEN 'not flagged as currently enrolled'
    END AS objection,
    objection IS NULL AS is_current
FROM veracross.dorm_students AS assignment
LEFT JOIN roster.dorms AS dorm ON dorm.dorm_id = assignment.dorm_id
ORDER BY assignment_id;
