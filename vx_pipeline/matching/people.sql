-- Most names need no folding: they are plain letters already.
CREATE OR REPLACE TEMPORARY MACRO folded(name) AS nullif(
    CASE WHEN regexp_full_match(lower(trim(name)), '[a-z0-9]+( [a-z0-9]+)*') THEN lower(trim(name)) ELSE fold(name) END, ''
);

-- matching.people: both sides, with everything that is compared made comparable.
-- grain:  one row for each record of either side
-- key:    side ('ours' or 'theirs'), person_id
-- source: matching.ours, matching.theirs; the policy's placeholders and nicknames
--
-- People are compared within their pool only: one school. fold() is matching.fold.fold. A suffix (Jr, III) is taken
-- from the last name, but never forgotten: father and son. A date that very many share is no evidence for anybody,
-- but two different dates stay different.
CREATE OR REPLACE TABLE matching.people AS
WITH record AS (
    SELECT 'ours' AS side, * FROM matching.ours
    UNION ALL BY NAME
    SELECT 'theirs' AS side, * FROM matching.theirs
),

folded AS (
    SELECT
        side,
        pool,
        person_id,
        CASE WHEN NOT list_contains($placeholder_names, split_part(folded(first_name), ' ', 1)) THEN folded(first_name) END
            AS first_name,
        folded(other_name) AS other_name,
        folded(last_name) AS whole_last_name,
        nullif(regexp_extract(folded(last_name), '^.+ (jr|junior|sr|senior|ii|iii|iv)$', 1), '') AS suffix,
        folded(middle_name) AS middle_name,
        CASE WHEN NOT list_contains($placeholder_dates, birth_date) THEN birth_date END AS birth_date,
        count(*) OVER (PARTITION BY pool, side, birth_date) > $common_date AS is_common_date,
        regexp_matches(concat(first_name, last_name), '[^\p{Latin}\p{Common}\p{Inherited}]') AS other_script,
        CASE left(lower(trim(sex)), 1) WHEN 'm' THEN 'm' WHEN 'f' THEN 'f' END AS sex,
        nullif(lower(trim(grade)), '') AS grade,
        CASE WHEN contains(email, '@') THEN lower(trim(email)) END AS email,
        coalesce(family_email, FALSE) AS family_email,
        -- A number may have been padded on its way.
        CASE WHEN regexp_full_match(trim(sis_id), '0*[1-9]\d*') THEN ltrim(trim(sis_id), '0') ELSE nullif(trim(sis_id), '') END
            AS sis_id,
        folded(postcode) AS postcode,
        folded(street) AS street
    FROM record
),

-- Beside the records, not in a window over them: a window this wide is as dear as all the rest.
sizes AS (
    SELECT pool, greatest(count_if(side = 'ours'), count_if(side = 'theirs')) AS pool_size FROM record GROUP BY pool
),

domains AS (
    SELECT pool, split_part(email, '@', 2) AS domain, count(*) AS people
    FROM folded
    WHERE side = 'ours' AND email IS NOT NULL
    GROUP BY ALL
)
SELECT
    folded.* EXCLUDE (whole_last_name, suffix),
    nullif(trim(coalesce(left(whole_last_name, -length(suffix) - 1), whole_last_name)), '') AS last_name,
    CASE suffix WHEN 'junior' THEN 'jr' WHEN 'senior' THEN 'sr' ELSE suffix END AS suffix,
    CASE
        WHEN grade LIKE 'pre%' OR grade = 'pk' THEN -1
        WHEN grade LIKE 'kinder%' OR grade = 'k' THEN 0
        ELSE TRY_CAST(nullif(regexp_extract(grade, '\d+'), '') AS INTEGER)
    END AS grade_number,
    list_distinct(list_filter([first_name, other_name], lambda name: name IS NOT NULL)) AS first_names,
    split_part(email, '@', 2) AS domain,
    -- May be the school's own mail domain: two different addresses there are two people.
    NOT list_contains($public_domains, split_part(email, '@', 2))
        AND coalesce(domains.people, 0) >= $school_domain AS own_domain,
    count(*) OVER (PARTITION BY folded.pool, side, email) AS with_email,
    count(*) OVER (PARTITION BY folded.pool, side, sis_id) AS with_sis_id,
    pool_size
FROM folded
JOIN sizes USING (pool)
LEFT JOIN domains ON domains.pool = folded.pool AND domains.domain = split_part(folded.email, '@', 2)
ORDER BY side, person_id;

-- Short forms on both ends: who is called Bill may be William, and the other way about.
CREATE OR REPLACE TEMPORARY TABLE nicknames_of AS
SELECT side, person_id, list_distinct(flatten(list(nickname.others))) AS nicknames
FROM (SELECT side, person_id, unnest(first_names) AS name FROM matching.people) AS person
JOIN nickname USING (name)
GROUP BY ALL;

-- How common a name is: its share on the side where it is commoner. Rarity that grew with one side alone would
-- make a link where nothing was learnt about the two records.
CREATE OR REPLACE TEMPORARY TABLE name_counts AS
WITH named AS (
    SELECT pool, side, 'last_name' AS field, last_name AS name FROM matching.people
    UNION ALL
    SELECT pool, side, 'first_name', unnest(first_names) AS name FROM matching.people
),

counted AS (
    SELECT pool, side, field, name, count(*) AS people FROM named GROUP BY ALL
)
SELECT pool, field, name, max(people) AS people FROM counted GROUP BY ALL;
