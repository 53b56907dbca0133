-- roster.boarders: who boards, by which rule, and why.
-- grain:  one row for each student
-- key:    student_id
-- source: roster.students, roster.dorm_assignments
--
-- The rule of the school:
--   dorm           a dorm enrolment that holds today
--   room           a room number on an enrolment in a dorm that is in use, not withdrawn; the flag does not matter
--   dorm_and_room  a dorm enrolment that holds today and names a room
-- Of several enrolments one that is still listed decides, then one with a room, then the latest.
CREATE OR REPLACE TABLE roster.boarders AS
WITH qualified AS (
    SELECT
        *,
        CASE $boarder_rule
            WHEN 'dorm' THEN is_current
            WHEN 'dorm_and_room' THEN is_current AND room_number IS NOT NULL
            WHEN 'room' THEN room_number IS NOT NULL
                AND dorm_in_use
                AND is_listed
                AND coalesce(date_withdrawn > $today, TRUE)
                AND coalesce(late_date_enrolled <= $today, TRUE)
        END AS qualifies
    FROM roster.dorm_assignments
),

ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY student_id
            ORDER BY
                qualifies DESC,
                is_listed DESC,
                room_number IS NOT NULL DESC,
                late_date_enrolled DESC NULLS LAST,
                assignment_id DESC
        ) AS place,
        count(*) FILTER (WHERE qualifies) OVER (PARTITION BY student_id) AS qualifying
    FROM qualified
)
SELECT
    student.student_id,
    student.is_current AND coalesce(best.qualifies, FALSE) AS is_boarder,
    CASE WHEN student.is_current AND best.qualifies THEN best.dorm_id END AS dorm_id,
    CASE WHEN student.is_current AND best.qualifies THEN best.room_number END AS room_number,
    CASE WHEN student.is_current AND best.qualifies THEN best.bed_number END AS bed_number,
    $boarder_rule AS rule,
    CASE
        WHEN NOT student.is_current THEN 'not at the school today'
        WHEN best.student_id IS NULL THEN 'no dorm enrolment'
        WHEN best.qualifies AND best.qualifying > 1
            THEN 'enrolled in ' || best.qualifying || ' dorms; dorm ' || best.dorm_id || ' is taken'
        WHEN best.qualifies AND $boarder_rule = 'room'
            THEN 'room ' || best.room_number || ' in dorm ' || best.dorm_id
        WHEN best.qualifies THEN 'current enrolment in dorm ' || best.dorm_id
        WHEN best.is_current THEN 'current enrolment in dorm ' || best.dorm_id || ' without a room'
        ELSE best.objection
    END AS reason
FROM roster.students AS student
LEFT JOIN ranked AS best ON best.student_id = student.student_id AND best.place = 1
ORDER BY student.student_id;
