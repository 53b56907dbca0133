-- roster.staff: who works at the school today, and what keeps a person from being synced.
-- grain:  one row for each member of staff and faculty
-- key:    person_id
-- source: veracross.staff_faculty
--
-- Orah knows staff by e-mail, so somebody without one, or sharing one, is set aside with the problem named.
CREATE OR REPLACE TABLE roster.staff AS
SELECT
    id AS person_id,
    name_prefix_label AS title,
    coalesce(nullif(trim(preferred_name), ''), first_name) AS first_name,
    last_name,
    nullif(lower(trim(email_1)), '') AS email,
    department_label AS department,
    job_title,
    CASE
        WHEN email IS NULL THEN 'no e-mail'
        WHEN count(*) OVER (PARTITION BY email) > 1 THEN 'e-mail shared with another member of staff'
    END AS problem
FROM veracross.staff_faculty
WHERE _missing_since IS NULL AND coalesce(date_terminated > $today, TRUE)
ORDER BY person_id;
