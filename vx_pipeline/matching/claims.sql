-- matching.claims: pairs that an identifier says are one person, and what speaks against believing it.
-- grain:  one row for each pair with the same sis_id or the same e-mail
-- key:    veracross_id, orah_id
-- source: matching.pairs, veracross_students, orah_students, the links before; veracross.parents, staff_faculty
--
-- An identifier is checked, not believed: ids are recycled and pasted onto the wrong sibling, e-mails are shared
-- in families. Any objection sends the pair to a person.
CREATE OR REPLACE TABLE matching.claims AS
WITH family_emails AS (
    SELECT lower(trim(email_1)) AS email FROM veracross.parents WHERE _missing_since IS NULL
    UNION
    SELECT lower(trim(email_1)) FROM veracross.staff_faculty WHERE _missing_since IS NULL
),

ours AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY email) AS with_email,
        count(*) OVER (PARTITION BY last_name) AS with_last_name,
        email IN (FROM family_emails) AS family_email
    FROM matching.veracross_students
),

theirs AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY sis_id) AS with_sis_id,
        count(*) OVER (PARTITION BY email) AS with_email
    FROM matching.orah_students
)
SELECT
    veracross_id,
    orah_id,
    CASE WHEN pair.same_sis_id THEN 'sis_id' ELSE 'email' END AS rule,
    pair.first_points + pair.last_points AS name_points,
    before.orah_id IS NOT NULL AS linked_before,
    CASE
        WHEN pair.same_sis_id AND theirs.with_sis_id > 1 THEN 'several records in Orah carry this sis_id'
        WHEN pair.same_sis_id AND before.orah_id IS NOT NULL THEN NULL
        WHEN NOT pair.same_name AND EXISTS (
            FROM matching.pairs AS other
            WHERE other.same_name AND other.orah_id = pair.orah_id AND other.veracross_id <> pair.veracross_id
        ) THEN 'another student has exactly the name of this record'
        WHEN NOT pair.same_name AND EXISTS (
            FROM matching.pairs AS other
            WHERE other.same_name AND other.veracross_id = pair.veracross_id AND other.orah_id <> pair.orah_id
        ) THEN 'another record in Orah has exactly the name of this student'
        WHEN pair.same_sis_id AND pair.first_points + pair.last_points = 0 AND NOT pair.same_email
            THEN 'the sis_id agrees, the name does not'
        WHEN pair.same_sis_id THEN NULL
        WHEN theirs.sis_id IS NOT NULL THEN 'the e-mail agrees, but the record carries another sis_id'
        WHEN EXISTS (
            FROM matching.pairs AS twin
            WHERE twin.same_name AND twin.veracross_id = pair.veracross_id AND twin.orah_id <> pair.orah_id
                AND NOT twin.same_sis_id
                AND NOT EXISTS (
                    FROM matching.pairs AS owner
                    WHERE owner.orah_id = twin.orah_id AND (owner.same_sis_id OR owner.same_email)
                        AND owner.veracross_id <> pair.veracross_id
                )
        ) THEN 'another record in Orah has exactly the name of this student'
        WHEN ours.with_email > 1 OR theirs.with_email > 1 OR ours.family_email
            THEN 'the e-mail is not one person''s own'
        WHEN pair.first_points = 0 AND NOT (pair.last_points = 2 AND ours.with_last_name = 1)
            THEN 'the e-mail agrees, the name does not'
    END AS objection
FROM matching.pairs AS pair
JOIN ours USING (veracross_id)
JOIN theirs USING (orah_id)
LEFT JOIN linked_before AS before USING (veracross_id, orah_id)
WHERE pair.same_sis_id OR pair.same_email
ORDER BY veracross_id, orah_id;
