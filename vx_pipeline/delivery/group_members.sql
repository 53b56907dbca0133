-- delivery.group_members: who is in which group, by the reference that Orah knows them by.
-- grain:  one row for each group and person, in one role
-- key:    group_id, person_id, role ('student' or 'staff')
-- source: roster.group_members; delivery.groups, students, staff
--
-- Students who are not in scope are left out: Orah does not know them.
CREATE OR REPLACE TABLE delivery.group_members AS
SELECT
    member.group_id,
    member.person_id,
    member.role,
    student.student_id,
    CASE WHEN member.role = 'staff' THEN staff.email END AS staff_email,
    CASE
        WHEN class.problem IS NOT NULL THEN 'the group is set aside'
        WHEN member.role = 'student' AND student.problem IS NOT NULL THEN 'the student is set aside'
        WHEN member.role = 'staff' AND staff.person_id IS NULL THEN 'not among the staff of today'
        WHEN member.role = 'staff' AND staff.problem IS NOT NULL THEN 'the member of staff is set aside'
    END AS problem
FROM roster.group_members AS member
JOIN delivery.groups AS class USING (group_id)
LEFT JOIN delivery.students AS student ON member.role = 'student' AND student.student_id = member.person_id
LEFT JOIN delivery.staff AS staff ON member.role = 'staff' AND staff.person_id = member.person_id
WHERE member.role = 'staff' OR student.student_id IS NOT NULL
ORDER BY member.group_id, member.role, member.person_id;
