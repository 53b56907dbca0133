-- matching.evidence: what each field says for or against each link and each candidate.
-- grain:  one row for each such pair and field that both records have
-- key:    veracross_id, orah_id, field
-- source: weighed, matching.student_links, review_queue, ours, theirs
--
-- ours, theirs: the values as the systems write them. total: the running sum; the last one is the pair's score.
CREATE OR REPLACE TABLE matching.evidence AS
WITH asked AS (
    SELECT veracross_id, orah_id FROM matching.student_links
    UNION
    SELECT veracross_id, orah_id FROM matching.review_queue WHERE veracross_id IS NOT NULL AND orah_id IS NOT NULL
),

told AS (
    UNPIVOT (
        SELECT
            'ours' AS side,
            person_id,
            sis_id,
            email,
            CASE WHEN other_name <> first_name THEN first_name || ' (' || other_name || ')' ELSE first_name END
                AS first_name,
            last_name,
            CAST(birth_date AS VARCHAR) AS birth_date,
            middle_name,
            sex,
            grade
        FROM matching.ours
        UNION ALL
        SELECT
            'theirs',
            person_id,
            sis_id,
            email,
            CASE WHEN other_name <> first_name THEN first_name || ' (' || other_name || ')' ELSE first_name END,
            last_name,
            CAST(birth_date AS VARCHAR),
            middle_name,
            sex,
            grade
        FROM matching.theirs
    )
    ON sis_id, email, first_name, last_name, birth_date, middle_name, sex, grade
    INTO NAME field VALUE told
)
SELECT
    veracross_id,
    orah_id,
    weighed.field,
    ours.told AS ours,
    theirs.told AS theirs,
    level,
    bits,
    round(sum(bits) OVER (PARTITION BY veracross_id, orah_id ORDER BY position), 2) AS total,
    position
FROM asked
JOIN (
    SELECT *, list_position(
        ['sis_id', 'email', 'first_name', 'last_name', 'birth_date', 'middle_name', 'sex', 'grade'], field
    ) AS position
    FROM weighed
) AS weighed ON weighed.our_id = veracross_id AND weighed.their_id = orah_id
LEFT JOIN told AS ours ON ours.side = 'ours' AND ours.person_id = veracross_id AND ours.field = weighed.field
LEFT JOIN told AS theirs ON theirs.side = 'theirs' AND theirs.person_id = orah_id AND theirs.field = weighed.field
ORDER BY veracross_id, orah_id, position;

-- matching.run: when people were matched, by which rules, and the newest decision that was taken in. One row.
CREATE OR REPLACE TABLE matching.run AS
SELECT
    CAST($now AS TIMESTAMP) AS matched_at,
    CAST($policy AS VARCHAR) AS policy_version,
    CAST($newest_decision AS BIGINT) AS newest_decision;
