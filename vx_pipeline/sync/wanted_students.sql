-- sync.wanted_students: what Veracross says about each student, in the words of Orah's fields.
-- grain:  one row for each student
-- key:    veracross_id
-- source: roster.students, boarders, houses
--
-- Fields are mapped as Orah's own Veracross integration does: first name from the preferred name, alternative
-- name from the first name.
CREATE OR REPLACE TABLE sync.wanted_students AS
SELECT
    student.student_id AS veracross_id,
    CAST(student.student_id AS VARCHAR) AS sis_id,
    coalesce(student.preferred_name, student.first_name) AS first_name,
    student.first_name AS alt_name,
    student.last_name,
    student.email,
    student.grade AS year_level,
    boarder.is_boarder,
    boarder.reason AS boarder_reason,
    boarder.dorm_id,
    dorm.name AS house_name,
    boarder.room_number,
    boarder.bed_number
FROM roster.students AS student
JOIN roster.boarders AS boarder USING (student_id)
LEFT JOIN roster.houses AS dorm ON dorm.dorm_id = boarder.dorm_id
ORDER BY veracross_id;
