-- sync.orphans: records in Orah that no living person of Veracross stands behind, and leavers who are still there.
-- grain:  one row for each record
-- key:    entity, orah_id
-- source: orah.students, houses, contacts, contact_students; roster.leavers, students, dorms, contacts;
--         matching.student_links, house_links, contact_links; $made_students, $made_houses, $our_contacts
--
-- Only records that we made, or took over, are told: what a school keeps by hand is its own.
-- A leaver is overdue whose record is active so many days after the exit date, or without one after so many days
-- of not being listed.
CREATE OR REPLACE TABLE sync.orphans AS
WITH current_student AS (
    SELECT student.student_id, link.orah_id
    FROM matching.student_links AS link
    JOIN roster.students AS student ON student.student_id = link.veracross_id
)
SELECT 'student' AS entity, record.id AS orah_id, NULL AS veracross_id, 'made by us, and linked to nobody' AS why
FROM orah.students AS record
WHERE record._missing_since IS NULL
    AND NOT record.deactivated
    AND list_contains($made_students, record.id)
    AND record.id NOT IN (SELECT orah_id FROM current_student)
UNION ALL
SELECT
    'student',
    record.id,
    leaver.student_id,
    'left, but still active in Orah: ' || leaver.reason
FROM roster.leavers AS leaver
JOIN current_student AS linked ON linked.student_id = leaver.student_id
JOIN roster.students AS student ON student.student_id = leaver.student_id
JOIN orah.students AS record ON record.id = linked.orah_id AND NOT record.deactivated
WHERE record._missing_since IS NULL
    AND coalesce(student.exit_date, CAST(student.missing_since AS DATE), $today) <= $today - $overdue_days
UNION ALL
SELECT 'house', house.id, dorm.dorm_id, 'made by us; its dorm: ' || coalesce(dorm.why_not, 'not listed')
FROM orah.houses AS house
LEFT JOIN roster.dorms AS dorm ON CAST(dorm.dorm_id AS VARCHAR) = trim(house.sis_id)
WHERE house._missing_since IS NULL
    AND list_contains($made_houses, house.id)
    AND house.id NOT IN (SELECT orah_id FROM matching.house_links)
UNION ALL
SELECT 'contact', contact.id, link.person_id, 'ours, and no student has this adult any more'
FROM orah.contacts AS contact
LEFT JOIN matching.contact_links AS link ON link.orah_id = contact.id
WHERE contact._missing_since IS NULL
    AND list_contains($our_contacts, contact.id)
    AND NOT EXISTS (FROM roster.contacts AS adult WHERE adult.person_id = link.person_id)
ORDER BY ALL;
