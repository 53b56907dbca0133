-- matching.contact_pairs: the contacts in Orah that may be a parent or guardian, and how much speaks for it.
-- grain:  one row for each person and contact that have an e-mail address or the whole name in common
-- key:    person_id, orah_id
-- source: roster.contacts; veracross.parents; matching.student_links; orah.contacts, contact_students; nickname;
--         refused_contacts, contacts_set_aside, new_persons
--
-- Looked for among the contacts of the person's own children in Orah, whether the person is synced or not: who must
-- not be a contact has to be found, too.
-- strength: 3 e-mail and name; 2 name; 1 e-mail, and one name is the same while nothing speaks against the other;
-- 0 the e-mail under another name: parents share addresses, and with them often the last name.
-- bearers: how many of the persons have the contact's whole name.
CREATE OR REPLACE TABLE matching.contact_pairs AS
WITH person AS (
    SELECT DISTINCT
        contact.person_id,
        contact.email,
        list_distinct([fold(coalesce(parent.first_name, '')), fold(coalesce(parent.preferred_name, ''))])
            AS first_names,
        fold(coalesce(parent.last_name, '')) AS last_name
    FROM roster.contacts AS contact
    JOIN veracross.parents AS parent ON parent.id = contact.person_id
),

record AS (
    SELECT
        id AS orah_id,
        _first_seen_at,
        id IN (SELECT id FROM contacts_set_aside) AS is_set_aside,
        nullif(lower(trim(email)), '') AS email,
        fold(coalesce(first_name, '')) AS first_name,
        fold(coalesce(last_name, '')) AS last_name,
        nickname.others AS short_or_long_forms
    FROM orah.contacts AS contact
    LEFT JOIN nickname ON nickname.name = fold(coalesce(contact.first_name, ''))
    WHERE _missing_reads < 2
),

beside AS (
    SELECT DISTINCT contact.person_id, tie.contact_id AS orah_id
    FROM roster.contacts AS contact
    JOIN matching.student_links AS link ON link.veracross_id = contact.student_id AND link.contested IS NULL
    JOIN orah.contact_students AS tie ON tie.student_id = link.orah_id
),

compared AS (
    SELECT
        person.person_id,
        record.orah_id,
        record.is_set_aside,
        coalesce(person.email = record.email, FALSE) AS same_email,
        record.first_name <> '' AND list_contains(person.first_names, record.first_name) AS same_first,
        record.last_name <> '' AND record.last_name = person.last_name AS same_last,
        record.first_name = ''
        OR coalesce(list_has_any(record.short_or_long_forms, person.first_names), FALSE)
        OR len(
            list_filter(
                person.first_names,
                lambda name: name <> '' AND (starts_with(name, record.first_name) OR starts_with(record.first_name, name))
            )
        ) > 0 AS first_may_be
    FROM beside
    JOIN person USING (person_id)
    JOIN record USING (orah_id)
    ANTI JOIN refused_contacts AS refused
        ON refused.person_id = person.person_id AND refused.orah_id = record.orah_id
    ANTI JOIN new_persons AS new
        ON new.person_id = person.person_id AND record._first_seen_at < new.decided_at
)
SELECT
    person_id,
    orah_id,
    CASE
        WHEN same_email AND same_first AND same_last THEN 3
        WHEN same_first AND same_last THEN 2
        WHEN same_email AND (same_first OR (same_last AND first_may_be)) THEN 1
        ELSE 0
    END AS strength,
    CASE strength WHEN 3 THEN 'e-mail and name' WHEN 2 THEN 'name' WHEN 1 THEN 'e-mail' END AS rule,
    count(*) FILTER (same_first AND same_last) OVER (PARTITION BY orah_id) AS bearers,
    is_set_aside
FROM compared
WHERE same_email OR (same_first AND same_last)
ORDER BY person_id, orah_id;
