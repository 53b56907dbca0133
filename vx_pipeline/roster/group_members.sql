-- roster.group_members: who is in a class or team today.
-- grain:  one row for each group and person, in one role
-- key:    group_id, person_id, role ('student' or 'staff')
-- source: roster.groups, roster.students, veracross.enrollments, athletics_rosters
CREATE OR REPLACE TABLE roster.group_members AS
WITH enrolments AS (
    SELECT internal_class_id, person_id, currently_enrolled, late_date_enrolled, date_withdrawn
    FROM veracross.enrollments
    WHERE _missing_since IS NULL
    UNION ALL
    SELECT internal_class_id, person_id, currently_enrolled, late_date_enrolled, date_withdrawn
    FROM veracross.athletics_rosters
    WHERE _missing_since IS NULL
)
SELECT DISTINCT enrolment.internal_class_id AS group_id, enrolment.person_id, 'student' AS role
FROM enrolments AS enrolment
JOIN roster.groups AS class ON class.group_id = enrolment.internal_class_id
JOIN roster.students AS student ON student.student_id = enrolment.person_id AND student.is_current
WHERE coalesce(enrolment.currently_enrolled, TRUE)
    AND coalesce(enrolment.late_date_enrolled <= $today, TRUE)
    AND coalesce(enrolment.date_withdrawn > $today, TRUE)
UNION
SELECT group_id, teacher_id, 'staff'
FROM roster.groups
WHERE teacher_id IS NOT NULL
ORDER BY group_id, role, person_id;
