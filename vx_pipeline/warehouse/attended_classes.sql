-- The classes whose attendance is asked for: those that meet from $first to $last and are still listed.
-- grain:  one row for each class
-- key:    internal_class_id
-- source: veracross.meeting_times, veracross.classes
SELECT DISTINCT internal_class_id
FROM veracross.meeting_times AS meeting
SEMI JOIN (FROM veracross.classes WHERE _missing_since IS NULL) AS class ON class.id = meeting.internal_class_id
WHERE meeting._missing_since IS NULL AND meeting.date BETWEEN $first AND $last
ORDER BY internal_class_id
