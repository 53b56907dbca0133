-- sync.wanted_contacts: what Veracross says about each parent or guardian, beside what the linked contact says now.
-- grain:  one row for each person
-- key:    person_id
-- source: roster.contacts; matching.contact_links, contact_questions, contacts_said_new; orah.contacts
CREATE OR REPLACE TABLE sync.wanted_contacts AS
WITH person AS (
    SELECT DISTINCT person_id, title, first_name, last_name, email, mobile_phone, home_phone, address
    FROM roster.contacts
)
SELECT
    person.*,
    link.orah_id,
    link.rule,
    record._missing_since IS NOT NULL AS orah_missing,
    record.title AS orah_title,
    record.first_name AS orah_first_name,
    record.last_name AS orah_last_name,
    record.relationship AS orah_relationship,
    record.email AS orah_email,
    record.mobile_phone AS orah_mobile_phone,
    record.home_phone AS orah_home_phone,
    record.address AS orah_address,
    (SELECT min(why) FROM matching.contact_questions AS question WHERE question.person_id = person.person_id)
        AS question,
    said_new.decided_at AS said_new_at
FROM person
LEFT JOIN matching.contact_links AS link USING (person_id)
LEFT JOIN orah.contacts AS record ON record.id = link.orah_id
LEFT JOIN matching.contacts_said_new AS said_new USING (person_id)
ORDER BY person_id;
