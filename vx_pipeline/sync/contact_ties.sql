-- sync.contact_ties: each student and parent or guardian, and whether the two are tied in Orah.
-- grain:  one row for each student and person
-- key:    person_id, student_id
-- source: roster.contacts, leavers; matching.student_links, contact_links, contact_pairs; orah.contact_students,
--         contact_reads
--
-- other_contacts: contacts of the student that have the person's whole name, which nobody else in question has, and
-- are not linked: a second record of the same person.
CREATE OR REPLACE TABLE sync.contact_ties AS
WITH second AS (
    SELECT person_id, orah_id
    FROM matching.contact_pairs
    WHERE strength >= 2
        AND bearers = 1
        AND orah_id NOT IN (SELECT orah_id FROM matching.contact_links)
)
SELECT
    contact.person_id,
    contact.student_id,
    contact.relationship,
    contact.is_synced,
    contact.why,
    contact.urgent,
    contact.legal_custody IS TRUE AS has_custody,
    link.orah_id AS orah_student_id,
    link.contested IS NOT NULL AS is_contested,
    reads.read_at IS NOT NULL AND reads.failed_at IS NULL AS is_read,
    contact.student_id IN (SELECT student_id FROM roster.leavers) AS has_left,
    EXISTS (
        FROM matching.contact_links AS linked
        JOIN orah.contact_students AS tie ON tie.contact_id = linked.orah_id
        WHERE linked.person_id = contact.person_id AND tie.student_id = link.orah_id
    ) AS is_tied,
    (
        SELECT coalesce(list(second.orah_id ORDER BY second.orah_id), [])
        FROM second
        JOIN orah.contact_students AS tie ON tie.contact_id = second.orah_id
        WHERE second.person_id = contact.person_id AND tie.student_id = link.orah_id
    ) AS other_contacts
FROM roster.contacts AS contact
LEFT JOIN matching.student_links AS link ON link.veracross_id = contact.student_id
LEFT JOIN orah.contact_reads AS reads ON reads.student_id = link.orah_id
ORDER BY contact.person_id, contact.student_id;
