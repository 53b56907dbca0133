-- matching.contact_links: adds the pairs of one strength that are each other's only one.
-- source: matching.contact_pairs, contact_links
--
-- Who is contested among stronger pairs is not linked by a weaker one.
INSERT INTO matching.contact_links
WITH free AS (
    SELECT person_id, orah_id, strength, rule
    FROM matching.contact_pairs
    WHERE NOT is_set_aside
        AND person_id NOT IN (SELECT person_id FROM matching.contact_links)
        AND orah_id NOT IN (SELECT orah_id FROM matching.contact_links)
)
SELECT person_id, orah_id, rule
FROM free AS pair
WHERE strength = $strength
    AND NOT EXISTS (
        FROM free AS other
        WHERE other.strength > $strength
            AND (other.person_id = pair.person_id OR other.orah_id = pair.orah_id)
    )
QUALIFY count(*) OVER (PARTITION BY person_id) = 1 AND count(*) OVER (PARTITION BY orah_id) = 1
ORDER BY person_id;
