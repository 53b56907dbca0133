-- The dorms in use, and what stands for each in Orah.
-- grain:  one row for each dorm in use
-- key:    dorm_id
-- source: roster.houses; matching.house_links, refused_houses; orah.houses
--
-- is_taken: no link, yet a house carries the dorm's id or its name, so that another one would be a double.
SELECT
    dorm.dorm_id,
    dorm.name,
    link.orah_id,
    link.rule,
    house.name AS orah_name,
    house.sis_id AS orah_sis_id,
    link.orah_id IS NULL AND EXISTS (
        FROM orah.houses AS other
        WHERE other._missing_reads < 2
            AND (
                trim(other.sis_id) = CAST(dorm.dorm_id AS VARCHAR)
                OR lower(trim(other.name)) = lower(trim(dorm.name))
            )
            AND NOT EXISTS (
                FROM matching.refused_houses AS refused
                WHERE refused.dorm_id = dorm.dorm_id AND refused.orah_id = other.id
            )
    ) AS is_taken
FROM roster.houses AS dorm
LEFT JOIN matching.house_links AS link USING (dorm_id)
LEFT JOIN orah.houses AS house ON house.id = link.orah_id
ORDER BY dorm.dorm_id
