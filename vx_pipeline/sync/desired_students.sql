-- sync.desired_students: what Orah should say about each student who is synced, beside what it says now.
-- grain:  one row for each current student in scope, and each linked student who has left
-- key:    veracross_id
-- source: sync.wanted_students; roster.students, leavers; matching.student_links, review_queue, said_new, house_links; orah.students
--
-- A null in Veracross is no reason to empty a field in Orah.
-- Where only boarders are synced, somebody whom Orah still calls one is, too: who stops boarding must not stay.
CREATE OR REPLACE TABLE sync.desired_students AS
SELECT
    wanted.* EXCLUDE (house_name),
    link.orah_id,
    leaver.reason AS leave_reason,
    leaver.action AS leave_action,
    link.rule AS link_rule,
    link.contested,
    said_new.decided_at AS said_new_at,
    EXISTS (
        FROM orah.students AS other
        WHERE other._missing_reads < 2 AND ltrim(trim(other.sis_id), '0') = CAST(student.student_id AS VARCHAR)
    ) AS sis_id_is_taken,
    EXISTS (
        FROM matching.review_queue AS queue
        WHERE queue.veracross_id = student.student_id AND queue.outcome IS NOT NULL
    ) AS is_asked_about,
    record.sis_id AS orah_sis_id,
    record.first_name AS orah_first_name,
    record.alt_name AS orah_alt_name,
    record.last_name AS orah_last_name,
    record.email AS orah_email,
    record.year_level AS orah_year_level,
    record.student_type AS orah_student_type,
    record.room_number AS orah_room_number,
    record.bed_number AS orah_bed_number,
    record.house__id AS orah_house_id,
    record.deactivated AS orah_deactivated,
    record._missing_since IS NOT NULL AS orah_missing,
    house.dorm_id AS orah_dorm_id
FROM roster.students AS student
JOIN sync.wanted_students AS wanted ON wanted.veracross_id = student.student_id
LEFT JOIN roster.leavers AS leaver USING (student_id)
LEFT JOIN matching.said_new AS said_new ON said_new.veracross_id = student.student_id
LEFT JOIN matching.student_links AS link ON link.veracross_id = student.student_id
LEFT JOIN orah.students AS record ON record.id = link.orah_id
LEFT JOIN matching.house_links AS house ON house.orah_id = record.house__id
WHERE (leaver.student_id IS NOT NULL AND link.orah_id IS NOT NULL)
    OR (
        student.is_current
        AND (
            $synced = 'both'
            OR ($synced = 'boarding') = wanted.is_boarder
            OR ($synced = 'boarding' AND list_contains($boarding_types, record.student_type))
        )
        AND (len($grades) = 0 OR list_contains($grades, lower(trim(student.grade))))
    )
ORDER BY student.student_id;
