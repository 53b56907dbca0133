-- delivery.set_aside: what was skipped, and why; the rest went on.
-- grain:  one row for each record that is not delivered although it is in scope
-- key:    entity, key
-- source: delivery.students, contacts, staff, groups, group_members
--
-- key: the Veracross id; for a contact student:person, for a member group:person.
CREATE OR REPLACE TABLE delivery.set_aside AS
SELECT 'student' AS entity, CAST(student_id AS VARCHAR) AS key, problem AS reason
FROM delivery.students
WHERE problem IS NOT NULL
UNION ALL
SELECT 'contact', student_id || ':' || person_id, problem
FROM delivery.contacts
WHERE problem IS NOT NULL
UNION ALL
SELECT 'staff', CAST(person_id AS VARCHAR), problem
FROM delivery.staff
WHERE problem IS NOT NULL
UNION ALL
SELECT 'group', CAST(group_id AS VARCHAR), problem
FROM delivery.groups
WHERE problem IS NOT NULL
UNION ALL
SELECT role || '_member', group_id || ':' || person_id, problem
FROM delivery.group_members
WHERE problem IS NOT NULL
ORDER BY entity, key;
