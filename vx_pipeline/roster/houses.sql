-- roster.houses: the dorms in use today, as Orah's houses.
-- grain:  one row for each dorm in use
-- key:    dorm_id
-- source: roster.dorms, roster.boarders
CREATE OR REPLACE TABLE roster.houses AS
SELECT
    dorm.dorm_id,
    dorm.name,
    dorm.school_year,
    count(boarder.student_id) AS boarders
FROM roster.dorms AS dorm
LEFT JOIN roster.boarders AS boarder ON boarder.dorm_id = dorm.dorm_id AND boarder.is_boarder
WHERE dorm.in_use AND dorm.name IS NOT NULL
GROUP BY ALL
ORDER BY dorm.dorm_id;
