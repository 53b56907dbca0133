-- sync.contacts_due: the students whose contacts are read from Orah now, because they may have changed since.
-- grain:  one row for each student
-- key:    orah_id
-- source: roster.contacts, leavers; matching.student_links; orah.students, contacts, contact_students, contact_reads
--
-- Orah has no list of all contacts: each student costs one request. Read are students who never were, or in vain;
-- whose contacts Veracross tells otherwise now; to whose contacts we wrote since; of whom a contact was missing once;
-- and each on a day of its own in every $reread_days. Whoever has left keeps the contacts there are.
-- $only: Veracross ids of those to be read whatever was read before, and nobody else; null for a whole school.
CREATE OR REPLACE TABLE sync.contacts_due AS
WITH wanted AS (
    SELECT student_id, md5(string_agg(CAST(contact AS VARCHAR), chr(10) ORDER BY person_id)) AS wanted_hash
    FROM roster.contacts AS contact
    GROUP BY student_id
)
SELECT link.orah_id, link.veracross_id, wanted.wanted_hash
FROM matching.student_links AS link
JOIN orah.students AS record ON record.id = link.orah_id AND record._missing_since IS NULL
JOIN wanted ON wanted.student_id = link.veracross_id
LEFT JOIN orah.contact_reads AS last ON last.student_id = link.orah_id
WHERE link.contested IS NULL
    AND link.veracross_id NOT IN (SELECT student_id FROM roster.leavers)
    AND CASE
        WHEN $only IS NOT NULL THEN list_contains(CAST($only AS BIGINT[]), link.veracross_id)
        ELSE last.read_at IS NULL
            OR last.failed_at IS NOT NULL
            OR last.wanted_hash IS DISTINCT FROM wanted.wanted_hash
            OR list_contains(CAST($touched AS BIGINT[]), link.orah_id)
            OR EXISTS (
                FROM orah.contact_students AS tie
                JOIN orah.contacts AS contact ON contact.id = tie.contact_id
                WHERE tie.student_id = link.orah_id AND contact._missing_reads = 1
            )
            OR last.read_at < CAST($now AS TIMESTAMP) - to_days(CAST($reread_days AS INTEGER))
            OR (
                (date_diff('day', DATE '1970-01-01', CAST($now AS DATE)) + link.orah_id) % $reread_days = 0
                AND CAST(last.read_at AS DATE) < CAST($now AS DATE)
            )
    END
ORDER BY link.orah_id;
