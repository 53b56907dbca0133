CREATE OR REPLACE TEMPORARY MACRO rarity_bits(share, people, size, least_bits, most_bits) AS
    least(greatest(log2(share * size / people), least_bits), most_bits);

-- weighed: what each field of a pair says for or against one person.
-- grain:  one row for each pair and field that both records have
-- key:    our_id, their_id, field
-- source: matching.pairs, weight (the policy), name_counts
--
-- bits: log2 of how much likelier this agreement is for one person than for two.
-- least_bits: the same if the name were as common as names get.
CREATE OR REPLACE TEMPORARY TABLE weighed AS
WITH level AS (
    UNPIVOT matching.pairs
    ON sis_id, email, first_name, last_name, birth_date, middle_name, sex, grade, postcode, street
    INTO NAME field VALUE level
),

-- How many people have the name that agrees; where several agree, the commonest.
agreed AS (
    SELECT our_id, their_id, 'first_name' AS field, max(counted.people) AS people
    FROM (SELECT our_id, their_id, unnest(shared_first_names) AS name FROM matching.pairs) AS pair
    JOIN ours ON ours.person_id = our_id
    JOIN name_counts AS counted
        ON counted.pool = ours.pool AND counted.field = 'first_name' AND counted.name = pair.name
    GROUP BY ALL
    UNION ALL
    SELECT our_id, their_id, 'last_name', counted.people
    FROM matching.pairs
    JOIN ours ON ours.person_id = our_id
    JOIN name_counts AS counted
        ON counted.pool = ours.pool AND counted.field = 'last_name' AND counted.name = ours.last_name
    WHERE pairs.last_name = 'exact'
)
SELECT
    our_id,
    their_id,
    field,
    level,
    pool_size,
    people,
    weight.share,
    weight.least,
    weight.most,
    -- Hundredths are plenty, and they add up on paper.
    round(coalesce(weight.bits, rarity_bits(share, people, pool_size, least, most)), 2) AS bits,
    coalesce(weight.bits, weight.least) AS least_bits
FROM level
JOIN weight USING (field, level)
LEFT JOIN agreed USING (our_id, their_id, field)
WHERE level <> 'missing';

-- matching.scores: the sum of a pair's evidence, and how it stands against every rival of both records.
-- grain:  one row for each pair
-- key:    our_id, their_id
-- source: weighed
--
-- surplus: bits beyond log2 of the pool, in this pool and in every smaller one from which it could have grown. The
-- rarity of a name grows with the pool, and that alone must never make a link: the least surplus is where the
-- rarities begin to count.
-- gap: bits ahead of the best rival (null: no rival), with all names taken as common: how rare a name is says
-- nothing about which of two namesakes is meant.
CREATE OR REPLACE TABLE matching.scores AS
WITH pooled AS (
    SELECT
        *,
        least(pool_size, coalesce(max(people * pow(2, least) / share) OVER (PARTITION BY our_id, their_id), pool_size))
            AS smaller
    FROM weighed
),

summed AS (
    SELECT
        our_id,
        their_id,
        round(sum(bits), 2) AS score,
        sum(least_bits) AS plain_score,
        least(
            sum(bits) - log2(any_value(pool_size)),
            sum(CASE WHEN share IS NULL THEN bits ELSE rarity_bits(share, people, smaller, least, most) END)
                - log2(any_value(smaller))
        ) AS surplus
    FROM pooled
    GROUP BY our_id, their_id
),

rivals AS (
    SELECT
        *,
        CASE WHEN row_number() OVER of_ours = 1 THEN nth_value(plain_score, 2) OVER of_ours ELSE max(plain_score) OVER of_ours END AS our_rival,
        CASE WHEN row_number() OVER of_theirs = 1 THEN nth_value(plain_score, 2) OVER of_theirs ELSE max(plain_score) OVER of_theirs END AS their_rival
    FROM summed
    WINDOW
        of_ours AS (
            PARTITION BY our_id ORDER BY plain_score DESC, their_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ),
        of_theirs AS (
            PARTITION BY their_id ORDER BY plain_score DESC, our_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
)
SELECT
    our_id,
    their_id,
    score,
    surplus,
    plain_score - greatest(our_rival, their_rival) AS gap
FROM rivals;
