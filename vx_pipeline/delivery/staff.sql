-- delivery.staff: who is in the staff import.
-- grain:  one row for each member of staff today
-- key:    person_id
-- source: roster.staff
--
-- problem: what keeps the row out; Orah knows staff by e-mail.
CREATE OR REPLACE TABLE delivery.staff AS
SELECT
    person_id,
    email,
    title,
    first_name,
    last_name,
    department,
    job_title,
    coalesce(
        problem,
        CASE WHEN coalesce(nullif(trim(first_name), ''), nullif(trim(last_name), '')) IS NULL THEN 'no name' END
    ) AS problem
FROM roster.staff
ORDER BY person_id;
