-- delivery.students: who is in the student import, in the words of its columns.
-- grain:  one row for each current student in scope
-- key:    student_id
-- source: roster.students, boarders, houses; veracross.contact_info; matching.student_links, review_queue
--
-- problem: what keeps the row out. Orah's import knows students by their reference, and a record that was made by
-- hand has none: while it is open who somebody is there, an import could make a second record for one child.
CREATE OR REPLACE TABLE delivery.students AS
SELECT
    student.student_id,
    house.name AS house,
    coalesce(student.preferred_name, student.first_name) AS first_name,
    student.last_name,
    student.first_name AS alternative_name,
    student.email,
    phone.home_phone,
    phone.mobile_phone,
    student.gender,
    student.birthday,
    student.grade AS year,
    CASE
        WHEN coalesce(student.preferred_name, student.first_name, student.last_name) IS NULL THEN 'no name'
        WHEN student.student_id IN (SELECT veracross_id FROM matching.review_queue WHERE outcome IS NOT NULL)
            THEN 'who this is in Orah is an open question'
        WHEN student.student_id IN (SELECT veracross_id FROM matching.student_links WHERE contested IS NOT NULL)
            THEN 'the link to a record in Orah is in doubt'
    END AS problem
FROM roster.students AS student
JOIN roster.boarders AS boarder USING (student_id)
LEFT JOIN roster.houses AS house ON house.dorm_id = boarder.dorm_id
LEFT JOIN veracross.contact_info AS phone ON phone.id = student.student_id
WHERE student.is_current
    AND ($synced = 'both' OR ($synced = 'boarding') = boarder.is_boarder)
    AND (len($grades) = 0 OR list_contains($grades, lower(trim(student.grade))))
ORDER BY student.student_id;
