-- roster.students: everybody Veracross lists as a student, now or earlier.
-- grain:  one row for each student
-- key:    student_id
-- source: veracross.students, roster.leavers
CREATE OR REPLACE TABLE roster.students AS
SELECT
    student.id AS student_id,
    nullif(trim(student.first_name), '') AS first_name,
    nullif(trim(student.middle_name), '') AS middle_name,
    nullif(trim(student.last_name), '') AS last_name,
    nullif(trim(student.preferred_name), '') AS preferred_name,
    nullif(lower(trim(student.email_1)), '') AS email,
    student.birthday,
    student.gender_label AS gender,
    student.grade_level_label AS grade,
    student.household_id,
    student.entry_date,
    student.exit_date,
    student.roles,
    student.enrollment_status_label AS enrollment_status,
    leaver.student_id IS NULL AND coalesce(student.entry_date <= $today, TRUE) AS is_current,
    student._missing_since AS missing_since
FROM veracross.students AS student
LEFT JOIN roster.leavers AS leaver ON leaver.student_id = student.id
ORDER BY student_id;
