-- sync.wanted_students: what Veracross says about each student, in the words of Orah's fields.
-- grain:  one row for each student
-- key:    veracross_id
-- source: roster.students, boarders, houses; sync.mapped_students
CREATE OR REPLACE TABLE sync.wanted_students AS
SELECT
    student.student_id AS veracross_id,
    CAST(student.student_id AS VARCHAR) AS sis_id,
    mapped.first_name,
    mapped.alt_name,
    mapped.last_name,
    mapped.email,
    mapped.year_level,
    mapped.custom,
    boarder.is_boarder,
    boarder.reason AS boarder_reason,
    boarder.dorm_id,
    dorm.name AS house_name,
    boarder.room_number,
    boarder.bed_number
FROM roster.students AS student
JOIN sync.mapped_students AS mapped ON mapped.veracross_id = student.student_id
JOIN roster.boarders AS boarder USING (student_id)
LEFT JOIN roster.houses AS dorm ON dorm.dorm_id = boarder.dorm_id
ORDER BY student.student_id;
