-- matching.contact_questions: contacts in Orah that may be a parent or guardian, but not for certain.
-- grain:  one row for each person and contact, neither of them linked
-- key:    person_id, orah_id
-- source: matching.contact_pairs, contact_links
CREATE OR REPLACE TABLE matching.contact_questions AS
SELECT
    person_id,
    orah_id,
    CASE
        WHEN strength = 0 THEN 'a contact in Orah has the same e-mail under another name'
        WHEN count(*) FILTER (strength > 0) OVER (PARTITION BY orah_id) > 1
            THEN 'a contact in Orah fits more than one person'
        ELSE 'more than one contact in Orah fits this person'
    END AS why
FROM matching.contact_pairs
WHERE NOT is_set_aside
    AND person_id NOT IN (SELECT person_id FROM matching.contact_links)
    AND orah_id NOT IN (SELECT orah_id FROM matching.contact_links)
ORDER BY person_id, orah_id;

-- matching.contacts_said_new: who is none of the contacts that Orah had, said a person.
-- grain:  one row for each person of whom that was said
-- key:    person_id
-- source: new_persons
CREATE OR REPLACE TABLE matching.contacts_said_new AS SELECT person_id, decided_at FROM new_persons;
