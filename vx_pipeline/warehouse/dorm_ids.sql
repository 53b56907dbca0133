-- The dorms whose students are asked for: all that Veracross still lists, of past and coming years too.
-- grain:  one row for each dorm
-- key:    id
-- source: veracross.dorms
SELECT id
FROM veracross.dorms
WHERE _missing_since IS NULL
ORDER BY id
