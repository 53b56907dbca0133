-- delivery.contacts: the adults behind each student of the import, and their places in its columns.
-- grain:  one row for each student in scope and contact
-- key:    student_id, person_id
-- source: roster.contacts, delivery.students
--
-- Who may not stand beside a student (roster.contacts says why) is left out. The columns have room for four:
-- who has custody comes first, then who lives with the child, then the lower id.
CREATE OR REPLACE TABLE delivery.contacts AS
WITH named AS (
    SELECT
        contact.*,
        coalesce(nullif(trim(contact.first_name), ''), nullif(trim(contact.last_name), '')) IS NULL AS is_nameless
    FROM roster.contacts AS contact
    SEMI JOIN delivery.students USING (student_id)
    WHERE $contacts_synced AND contact.is_synced
)
SELECT
    student_id,
    person_id,
    row_number() OVER (
        PARTITION BY student_id
        ORDER BY is_nameless, legal_custody DESC NULLS LAST, resident DESC NULLS LAST, person_id
    ) AS place,
    first_name,
    last_name,
    title,
    relationship,
    email,
    home_phone,
    mobile_phone,
    address,
    CASE
        WHEN is_nameless THEN 'no name'
        WHEN place > $room THEN 'the import has room for ' || $room || ' contacts'
    END AS problem
FROM named
ORDER BY student_id, place;
