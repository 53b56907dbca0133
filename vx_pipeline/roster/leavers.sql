-- roster.leavers: who has left the school, and how we know.
-- grain:  one row for each student with a leave signal
-- key:    student_id
-- source: veracross.students, with those who no longer come in the feed
--
-- A signal is positive (a date, a role, a status) or two complete reads without the student. One read without
-- somebody is no signal, and neither is a null. A student who came back after an exit date has not left.
CREATE OR REPLACE TABLE roster.leavers AS
WITH signals AS (
    SELECT
        id AS student_id,
        exit_date,
        enrollment_status_label,
        CASE
            WHEN exit_date <= $today AND coalesce(entry_date <= exit_date, TRUE) THEN 'exit_date'
            WHEN NOT list_has_any(
                list_transform(string_split(lower(nullif(trim(roles), '')), ','), lambda role: trim(role)),
                $active_roles
            ) THEN 'role'
            WHEN list_contains($left_enrollment_statuses, lower(trim(enrollment_status_label)))
                THEN 'enrollment_status'
            WHEN _missing_reads >= 2 THEN 'missing'
        END AS signal
    FROM veracross.students
)
SELECT
    student_id,
    $removal AS action,
    CASE signal
        WHEN 'exit_date' THEN 'the exit date ' || exit_date || ' is reached'
        WHEN 'role' THEN 'none of the roles is an active one any more'
        WHEN 'enrollment_status' THEN 'the enrollment status is ' || enrollment_status_label
        ELSE 'not found in two complete reads'
    END AS reason,
    signal
FROM signals
WHERE signal IS NOT NULL
ORDER BY student_id;
