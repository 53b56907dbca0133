-- orah.contact_students: whose contact each contact in Orah is, as it was last read.
-- grain:  one row for each contact and student, both of Orah
-- key:    contact_id, student_id
-- source: orah.contacts
CREATE OR REPLACE TABLE orah.contact_students AS
SELECT DISTINCT
    id AS contact_id,
    unnest(CAST(json_extract(students, '$[*].id') AS BIGINT[])) AS student_id
FROM orah.contacts
WHERE _missing_reads < 2
ORDER BY contact_id, student_id;
