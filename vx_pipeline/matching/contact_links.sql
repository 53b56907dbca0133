-- matching.contact_links: which contact in Orah is which parent or guardian, for certain.
-- grain:  one row for each linked person
-- key:    person_id; orah_id
-- source: roster.contacts; orah.contacts; decided_contacts, refused_contacts, contacts_set_aside, written_contacts
--
-- What a person decided comes first, then what we wrote ourselves, as long as the contact is there. Evidence is added
-- by contact_links_by_evidence.sql.
CREATE OR REPLACE TABLE matching.contact_links AS
WITH decided AS (
    SELECT person_id, orah_id
    FROM decided_contacts
    WHERE person_id IN (SELECT person_id FROM roster.contacts)
        AND orah_id IN (SELECT id FROM orah.contacts WHERE _missing_reads < 2)
)
SELECT person_id, orah_id, 'decision' AS rule
FROM decided
UNION ALL
SELECT person_id, orah_id, 'written' AS rule
FROM written_contacts
ANTI JOIN refused_contacts USING (person_id, orah_id)
WHERE person_id IN (SELECT person_id FROM roster.contacts)
    AND orah_id IN (SELECT id FROM orah.contacts WHERE _missing_reads < 2)
    AND orah_id NOT IN (SELECT id FROM contacts_set_aside)
    AND person_id NOT IN (SELECT person_id FROM decided)
    AND orah_id NOT IN (SELECT orah_id FROM decided)
ORDER BY person_id;
