-- sync.desired_students: what Orah should say about each student who is synced, beside what it says now.
-- grain:  one row for each student in scope, and each linked student who is not
-- key:    veracross_id
-- source: sync.wanted_students, scope, orah_custom; roster.leavers; matching.student_links, review_queue, said_new,
--         house_links; orah.students
--
-- A null in Veracross is no reason to empty a field in Orah.
-- had_record: a record that carried the student's id is not found any more, deleted or left out by two reads.
-- out_of_scope: the reason why a linked student is not synced, though at the school.
CREATE OR REPLACE TABLE sync.desired_students AS
SELECT
    wanted.* EXCLUDE (house_name),
    link.orah_id,
    leaver.reason AS leave_reason,
    leaver.action AS leave_action,
    CASE WHEN scope.rule IN ('boarding', 'grade') THEN scope.reason END AS out_of_scope,
    link.rule AS link_rule,
    link.contested,
    said_new.decided_at AS said_new_at,
    EXISTS (
        FROM orah.students AS other
        WHERE other._missing_reads < 2 AND ltrim(trim(other.sis_id), '0') = wanted.sis_id
    ) AS sis_id_is_taken,
    EXISTS (
        FROM orah.students AS other
        WHERE other._missing_reads >= 2 AND ltrim(trim(other.sis_id), '0') = wanted.sis_id
    ) AS had_record,
    EXISTS (
        FROM matching.review_queue AS queue
        WHERE queue.veracross_id = wanted.veracross_id AND queue.outcome IS NOT NULL
    ) AS is_asked_about,
    record.sis_id AS orah_sis_id,
    record.first_name AS orah_first_name,
    record.alt_name AS orah_alt_name,
    record.last_name AS orah_last_name,
    record.email AS orah_email,
    record.year_level AS orah_year_level,
    custom.custom AS orah_custom,
    record.student_type AS orah_student_type,
    record.room_number AS orah_room_number,
    record.bed_number AS orah_bed_number,
    record.house__id AS orah_house_id,
    record.deactivated AS orah_deactivated,
    record._missing_since IS NOT NULL AS orah_missing,
    house.dorm_id AS orah_dorm_id
FROM sync.wanted_students AS wanted
JOIN sync.scope AS scope USING (veracross_id)
LEFT JOIN roster.leavers AS leaver ON leaver.student_id = wanted.veracross_id
LEFT JOIN matching.said_new AS said_new USING (veracross_id)
LEFT JOIN matching.student_links AS link USING (veracross_id)
LEFT JOIN orah.students AS record ON record.id = link.orah_id
LEFT JOIN sync.orah_custom AS custom ON custom.orah_id = record.id
LEFT JOIN matching.house_links AS house ON house.orah_id = record.house__id
WHERE scope.in_scope OR (link.orah_id IS NOT NULL AND scope.rule <> 'future')
ORDER BY wanted.veracross_id;
