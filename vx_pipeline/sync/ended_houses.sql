-- Houses that we made and nobody needs: their dorm has ended, and no student is in them.
-- grain:  one row for each house
-- key:    orah_id
-- source: orah.houses, orah.students; roster.dorms; matching.house_links; $made_houses from the journal; $today
--
-- A deactivated student is in the house, too: when they come back, the house must be there.
SELECT house.id AS orah_id, dorm.dorm_id, dorm.why_not
FROM orah.houses AS house
JOIN roster.dorms AS dorm ON CAST(dorm.dorm_id AS VARCHAR) = trim(house.sis_id) AND NOT dorm.in_use
WHERE list_contains($made_houses, house.id)
    AND house._missing_since IS NULL
    AND (dorm.end_date < $today OR dorm.why_not = 'no longer listed')
    AND house.id NOT IN (SELECT orah_id FROM matching.house_links)
    AND NOT EXISTS (FROM orah.students AS student WHERE student.house__id = house.id AND student._missing_reads < 2)
ORDER BY house.id
