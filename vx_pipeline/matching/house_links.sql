-- matching.refused_houses: which houses a dorm is not, said a person.
-- grain:  one row for each refusal
-- key:    dorm_id, orah_id
-- source: refused_houses, new_dorms, houses_set_aside; orah.houses, roster.houses
--
-- Of a dorm that is new, every house that there was when that was said.
CREATE OR REPLACE TABLE matching.refused_houses AS
FROM refused_houses
UNION
SELECT dorm_id, house.id
FROM new_dorms
JOIN orah.houses AS house ON house._first_seen_at < new_dorms.decided_at
UNION
SELECT dorm.dorm_id, aside.id
FROM roster.houses AS dorm
CROSS JOIN houses_set_aside AS aside;

-- matching.house_links: which house in Orah is which dorm in use.
-- grain:  one row for each linked dorm
-- key:    dorm_id; orah_id
-- source: roster.houses, roster.dorms; orah.houses; decided_houses, refused_houses
--
-- What a person decided comes first.
-- A dorm has a new id every school year. So a house of the same name is taken over when it carries no id, or the
-- id of a dorm of the school that is not in use any more. The name must be unique on both sides.
CREATE OR REPLACE TABLE matching.house_links AS
WITH house AS (
    SELECT id AS orah_id, nullif(trim(sis_id), '') AS sis_id, lower(trim(name)) AS name
    FROM orah.houses
    WHERE _missing_reads < 2
),

by_decision AS (
    SELECT dorm_id, orah_id, 'decision' AS rule
    FROM decided_houses
    SEMI JOIN roster.houses USING (dorm_id)
    SEMI JOIN house USING (orah_id)
),

by_id AS (
    SELECT dorm.dorm_id, house.orah_id, 'sis_id' AS rule
    FROM roster.houses AS dorm
    JOIN house ON house.sis_id = CAST(dorm.dorm_id AS VARCHAR)
    ANTI JOIN matching.refused_houses AS refused
        ON refused.dorm_id = dorm.dorm_id AND refused.orah_id = house.orah_id
    WHERE dorm.dorm_id NOT IN (SELECT dorm_id FROM by_decision)
        AND house.orah_id NOT IN (SELECT orah_id FROM by_decision)
    QUALIFY count(*) OVER (PARTITION BY dorm.dorm_id) = 1
),

by_name AS (
    SELECT dorm.dorm_id, house.orah_id, 'name' AS rule
    FROM roster.houses AS dorm
    JOIN house ON house.name = lower(trim(dorm.name))
    ANTI JOIN matching.refused_houses AS refused
        ON refused.dorm_id = dorm.dorm_id AND refused.orah_id = house.orah_id
    WHERE dorm.dorm_id NOT IN (SELECT dorm_id FROM by_decision)
        AND house.orah_id NOT IN (SELECT orah_id FROM by_decision)
        AND dorm.dorm_id NOT IN (SELECT dorm_id FROM by_id)
        AND house.orah_id NOT IN (SELECT orah_id FROM by_id)
        AND (
            house.sis_id IS NULL
            OR house.sis_id IN (SELECT CAST(dorm_id AS VARCHAR) FROM roster.dorms WHERE NOT in_use)
        )
    QUALIFY count(*) OVER (PARTITION BY dorm.dorm_id) = 1 AND count(*) OVER (PARTITION BY house.orah_id) = 1
)
FROM by_decision
UNION ALL
FROM by_id
UNION ALL
FROM by_name
ORDER BY dorm_id;

-- matching.house_run: the newest decision that was taken in for houses. One row.
CREATE OR REPLACE TABLE matching.house_run AS SELECT CAST($newest_decision AS BIGINT) AS newest_decision;
