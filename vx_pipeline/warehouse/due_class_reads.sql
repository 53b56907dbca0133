-- How each class's attendance is read next: whole, or what changed since a day.
-- A class is read whole that never was, or whose last whole read is older than $whole_read_days days at $now (UTC).
-- grain:  one row for each of $classes
-- key:    class_id
-- source: veracross.class_attendance_reads
SELECT
    asked.class_id,
    coalesce(last_read.whole_at < $now - to_days($whole_read_days), TRUE) AS is_whole,
    CAST(last_read.read_at AS DATE) - 1 AS changed_since
FROM (SELECT unnest($classes::BIGINT[]) AS class_id) AS asked
LEFT JOIN veracross.class_attendance_reads AS last_read ON last_read.class_id = asked.class_id
ORDER BY asked.class_id
