-- matching.ours, matching.theirs: the students of both systems, as the engine takes them.
-- grain:  one row for each student of that system, whatever became of the student
-- key:    person_id
-- source: roster.students, veracross.parents, veracross.staff_faculty; orah.students
--
-- The record of a student in Orah carries the student's Veracross id as sis_id. A record that one read of Orah did
-- not bring is still somebody's; an address stays a parent's when a read comes without the parent. Orah's public list
-- shows no birth date, sex or middle name; where a tenant's does, they are used.
CREATE OR REPLACE TABLE matching.ours AS
SELECT
    'school' AS pool,
    student_id AS person_id,
    first_name,
    preferred_name AS other_name,
    last_name,
    middle_name,
    birthday AS birth_date,
    gender AS sex,
    grade,
    email,
    email IN (
        SELECT lower(trim(email_1)) FROM veracross.parents WHERE email_1 IS NOT NULL
        UNION
        SELECT lower(trim(email_1)) FROM veracross.staff_faculty WHERE email_1 IS NOT NULL
    ) AS family_email,
    CAST(student_id AS VARCHAR) AS sis_id,
    CAST(NULL AS VARCHAR) AS postcode,
    CAST(NULL AS VARCHAR) AS street
FROM roster.students;

CREATE OR REPLACE TABLE matching.theirs AS
SELECT
    'school' AS pool,
    id AS person_id,
    first_name,
    alt_name AS other_name,
    last_name,
    middle_name,
    date_of_birth AS birth_date,
    gender AS sex,
    year_level AS grade,
    email,
    FALSE AS family_email,
    sis_id,
    CAST(NULL AS VARCHAR) AS postcode,
    CAST(NULL AS VARCHAR) AS street
FROM orah.students
WHERE _missing_reads < 2;

-- barred_pairs: pairs that are not linked by evidence, because a person said otherwise. They stay rivals of others:
-- a person who is new may look like every record that there was; a record to be merged still is somebody's.
CREATE OR REPLACE TEMPORARY TABLE barred_pairs AS
SELECT our_id, record.id AS their_id
FROM new_people
JOIN orah.students AS record ON record._first_seen_at < new_people.decided_at
UNION
SELECT student_id AS our_id, set_aside.id AS their_id
FROM roster.students
CROSS JOIN set_aside;

-- links_before: the links of the last run. They are kept by id, whatever becomes of names or addresses.
CREATE TABLE IF NOT EXISTS matching.student_links (
    veracross_id BIGINT, orah_id BIGINT, rule VARCHAR, score DOUBLE, linked_at TIMESTAMP, contested VARCHAR
);

CREATE OR REPLACE TEMPORARY TABLE links_before AS
SELECT veracross_id, orah_id, rule, linked_at
FROM matching.student_links
SEMI JOIN matching.ours ON ours.person_id = veracross_id
SEMI JOIN matching.theirs ON theirs.person_id = orah_id;
