-- matching.pairs: every pair of records that shares anything worth looking at, and how well the names agree.
-- grain:  one row for each pair
-- key:    veracross_id, orah_id
-- source: matching.veracross_students, matching.orah_students
--
-- first_points, last_points: 2 the same name, 1 nearly the same (or one begins with the other), 0 different.
-- Either first name of one side may agree with either of the other: Orah's own sync puts the preferred name
-- into first_name and the legal one into alt_name. Swapped first and last names agree on both.
CREATE OR REPLACE MACRO points(ours, theirs) AS CASE
    WHEN ours = theirs THEN 2
    WHEN jaro_winkler_similarity(ours, theirs) >= 0.92 THEN 1
    WHEN length(ours) >= 3 AND starts_with(theirs, ours) THEN 1
    WHEN length(theirs) >= 3 AND starts_with(ours, theirs) THEN 1
    ELSE 0
END;

CREATE OR REPLACE TABLE matching.pairs AS
WITH touching AS (
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students ON orah_students.sis_id = CAST(veracross_students.veracross_id AS VARCHAR)
    UNION
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students ON orah_students.email = veracross_students.email
    UNION
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students ON orah_students.last_name = veracross_students.last_name
    UNION
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students
        ON orah_students.first_name IN (veracross_students.first_name, veracross_students.preferred_name)
    UNION
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students
        ON orah_students.alt_name IN (veracross_students.first_name, veracross_students.preferred_name)
    UNION
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students
        ON orah_students.first_name = veracross_students.last_name
        AND orah_students.last_name IN (veracross_students.first_name, veracross_students.preferred_name)
    UNION
    -- Misspelt on both names: the first letters still agree.
    SELECT veracross_id, orah_id
    FROM matching.veracross_students
    JOIN matching.orah_students
        ON orah_students.grade = veracross_students.grade
        AND left(orah_students.last_name, 2) = left(veracross_students.last_name, 2)
        AND left(orah_students.first_name, 2) IN (
            left(veracross_students.first_name, 2), left(veracross_students.preferred_name, 2)
        )
),

judged AS (
    SELECT
        veracross_id,
        orah_id,
        coalesce(ours.first_name = theirs.last_name AND ours.last_name = theirs.first_name, FALSE) AS swapped,
        greatest(
            coalesce(points(ours.first_name, theirs.first_name), 0),
            coalesce(points(ours.preferred_name, theirs.first_name), 0),
            coalesce(points(ours.first_name, theirs.alt_name), 0),
            coalesce(points(ours.preferred_name, theirs.alt_name), 0)
        ) AS first_points,
        coalesce(points(ours.last_name, theirs.last_name), 0) AS last_points,
        coalesce(theirs.sis_id = CAST(veracross_id AS VARCHAR), FALSE) AS same_sis_id,
        coalesce(theirs.email = ours.email, FALSE) AS same_email,
        coalesce(theirs.grade = ours.grade, FALSE) AS same_grade
    FROM touching
    JOIN matching.veracross_students AS ours USING (veracross_id)
    JOIN matching.orah_students AS theirs USING (orah_id)
)
SELECT
    veracross_id,
    orah_id,
    CASE WHEN swapped THEN 2 ELSE first_points END AS first_points,
    CASE WHEN swapped THEN 2 ELSE last_points END AS last_points,
    same_sis_id,
    same_email,
    same_grade,
    swapped OR (first_points = 2 AND last_points = 2) AS same_name
FROM judged
ORDER BY veracross_id, orah_id;
