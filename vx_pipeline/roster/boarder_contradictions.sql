-- roster.boarder_contradictions: dorm enrolments that say two things at once; a person at the school mends them.
-- grain:  one row for each student and kind of contradiction
-- key:    student_id, contradiction
-- source: roster.dorm_assignments, roster.dorms, roster.students
CREATE OR REPLACE TABLE roster.boarder_contradictions AS
SELECT student_id, 'two_dorms' AS contradiction, list(assignment_id ORDER BY assignment_id) AS assignment_ids
FROM roster.dorm_assignments
WHERE is_current
GROUP BY student_id
HAVING count(DISTINCT dorm_id) > 1
UNION ALL
SELECT student_id, 'withdrawn_but_flagged_current', list(assignment_id ORDER BY assignment_id)
FROM roster.dorm_assignments
WHERE currently_enrolled AND dorm_in_use AND date_withdrawn <= $today
GROUP BY student_id
UNION ALL
SELECT student_id, 'room_without_current_enrolment', list(assignment_id ORDER BY assignment_id)
FROM roster.dorm_assignments
WHERE room_number IS NOT NULL
    AND dorm_in_use
    AND NOT is_current
    AND coalesce(date_withdrawn > $today, TRUE)
    AND coalesce(late_date_enrolled <= $today, TRUE)
GROUP BY student_id
UNION ALL
SELECT student_id, 'last_years_dorm_flagged_current', list(assignment_id ORDER BY assignment_id)
FROM roster.dorm_assignments AS assignment
SEMI JOIN (SELECT dorm_id FROM roster.dorms WHERE end_date < $today) AS ended USING (dorm_id)
WHERE currently_enrolled
GROUP BY student_id
UNION ALL
SELECT assignment.student_id, 'dorm_but_not_at_the_school', list(assignment_id ORDER BY assignment_id)
FROM roster.dorm_assignments AS assignment
LEFT JOIN roster.students AS student ON student.student_id = assignment.student_id
WHERE assignment.is_current AND NOT coalesce(student.is_current, FALSE)
GROUP BY assignment.student_id
ORDER BY student_id, contradiction;
