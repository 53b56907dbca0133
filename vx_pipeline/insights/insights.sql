-- attendance.insights: attendance of each student in the windows that end on $as_of.
-- grain:  one row for each day asked about, student who is at the school, and window; the rows of $as_of are replaced
-- key:    as_of, student_id, window
-- source: attendance.sessions; roster.students, roster.boarders, roster.dorms
--
-- Meetings count that had begun by $until, the end of the day or this moment, local to the school.
--   no_reason        absent, and nothing says whether it is excused
--   absent           excused + unexcused + no_reason
--   rate             (present + late) / (present + late + absent); null where there is nothing to divide by.
--                    Not expected, untaken and unknown count neither way.
--   rate_before      the same over the window before; rate_change the difference
--   absent_streak    meetings in a row missed up to now, counted backwards over the term or thirty days, whichever
--                    is longer; present_streak likewise.
--                    Not expected, untaken and unknown neither break a streak nor make it longer.
--   longest_absent_streak   the longest within the window
CREATE TABLE IF NOT EXISTS attendance.insights (
    as_of DATE, student_id BIGINT, "window" VARCHAR, first_day DATE, last_day DATE,
    sessions BIGINT, present BIGINT, late BIGINT, excused BIGINT, unexcused BIGINT,
    not_expected BIGINT, untaken BIGINT, unknown BIGINT, absent BIGINT,
    rate DOUBLE, rate_before DOUBLE, rate_change DOUBLE,
    absent_streak BIGINT, longest_absent_streak BIGINT, present_streak BIGINT,
    first_missed_at TIMESTAMP, first_missed_class_id BIGINT,
    last_missed_at TIMESTAMP, last_missed_class_id BIGINT,
    is_boarder BOOLEAN, house VARCHAR, grade VARCHAR, no_reason BIGINT DEFAULT 0
);

-- A warehouse may hold the table as it was before absences without a reason were told apart.
ALTER TABLE attendance.insights ADD COLUMN IF NOT EXISTS no_reason BIGINT DEFAULT 0;

DELETE FROM attendance.insights WHERE as_of = $as_of;

INSERT INTO attendance.insights BY NAME
WITH spans AS (
    SELECT
        unnest($windows::VARCHAR[]) AS "window",
        unnest($first_days::DATE[]) AS first_day,
        unnest($last_days::DATE[]) AS last_day,
        unnest($before_firsts::DATE[]) AS before_first,
        unnest($before_lasts::DATE[]) AS before_last
),

-- In the order of the day; of two meetings at the same time, the same one is always first.
held AS (
    SELECT
        *,
        kind IN ('present', 'late') AS is_there,
        kind IN ('excused', 'unexcused', 'no_reason') AS is_absent,
        row_number() OVER (PARTITION BY student_id ORDER BY starts_at, class_id, block_id, kind) AS place
    FROM attendance.sessions
    WHERE attendance_date <= $as_of AND starts_at <= $until
),

counts AS (
    SELECT
        held.student_id,
        spans."window",
        count(*) AS sessions,
        count(*) FILTER (WHERE kind = 'present') AS present,
        count(*) FILTER (WHERE kind = 'late') AS late,
        count(*) FILTER (WHERE kind = 'excused') AS excused,
        count(*) FILTER (WHERE kind = 'unexcused') AS unexcused,
        count(*) FILTER (WHERE kind = 'no_reason') AS no_reason,
        count(*) FILTER (WHERE kind = 'not_expected') AS not_expected,
        count(*) FILTER (WHERE kind = 'untaken') AS untaken,
        count(*) FILTER (WHERE kind = 'unknown') AS unknown,
        count(*) FILTER (WHERE is_absent) AS absent,
        count(*) FILTER (WHERE is_there) / nullif(count(*) FILTER (WHERE is_there OR is_absent), 0) AS rate,
        min(starts_at) FILTER (WHERE is_absent) AS first_missed_at,
        arg_min_null(class_id, place) FILTER (WHERE is_absent) AS first_missed_class_id,
        max(starts_at) FILTER (WHERE is_absent) AS last_missed_at,
        arg_max_null(class_id, place) FILTER (WHERE is_absent) AS last_missed_class_id
    FROM held
    JOIN spans ON held.attendance_date BETWEEN spans.first_day AND spans.last_day
    GROUP BY held.student_id, spans."window"
),

before AS (
    SELECT
        held.student_id,
        spans."window",
        count(*) FILTER (WHERE is_there) / nullif(count(*) FILTER (WHERE is_there OR is_absent), 0) AS rate
    FROM held
    JOIN spans ON held.attendance_date BETWEEN spans.before_first AND spans.before_last
    GROUP BY held.student_id, spans."window"
),

-- Gaps and islands: in a run without a break, the place among all and the place among equals grow together.
numbered AS (
    SELECT
        held.student_id,
        spans."window",
        is_absent,
        row_number() OVER (PARTITION BY held.student_id, spans."window" ORDER BY place)
            - row_number() OVER (PARTITION BY held.student_id, spans."window", is_absent ORDER BY place) AS island
    FROM held
    JOIN spans ON held.attendance_date BETWEEN spans.first_day AND spans.last_day
    WHERE is_there OR is_absent
),

islands AS (
    SELECT student_id, "window", count(*) AS length
    FROM numbered
    WHERE is_absent
    GROUP BY student_id, "window", island
),

longest AS (
    SELECT student_id, "window", max(length) AS length FROM islands GROUP BY student_id, "window"
),

lately AS (
    SELECT
        student_id,
        is_absent,
        row_number() OVER (PARTITION BY student_id ORDER BY place) AS place
    FROM held
    WHERE
        (is_there OR is_absent)
        AND attendance_date >= (SELECT min(first_day) FROM spans WHERE "window" IN ('term', '30_days'))
),

streaks AS (
    SELECT
        student_id,
        max(place) - coalesce(max(place) FILTER (WHERE NOT is_absent), 0) AS absent_streak,
        max(place) - coalesce(max(place) FILTER (WHERE is_absent), 0) AS present_streak
    FROM lately
    GROUP BY student_id
)

SELECT
    CAST($as_of AS DATE) AS as_of,
    student.student_id,
    spans."window",
    spans.first_day,
    spans.last_day,
    coalesce(counts.sessions, 0) AS sessions,
    coalesce(counts.present, 0) AS present,
    coalesce(counts.late, 0) AS late,
    coalesce(counts.excused, 0) AS excused,
    coalesce(counts.unexcused, 0) AS unexcused,
    coalesce(counts.no_reason, 0) AS no_reason,
    coalesce(counts.not_expected, 0) AS not_expected,
    coalesce(counts.untaken, 0) AS untaken,
    coalesce(counts.unknown, 0) AS unknown,
    coalesce(counts.absent, 0) AS absent,
    counts.rate,
    before.rate AS rate_before,
    counts.rate - before.rate AS rate_change,
    coalesce(streaks.absent_streak, 0) AS absent_streak,
    coalesce(longest.length, 0) AS longest_absent_streak,
    coalesce(streaks.present_streak, 0) AS present_streak,
    counts.first_missed_at,
    counts.first_missed_class_id,
    counts.last_missed_at,
    counts.last_missed_class_id,
    coalesce(boarder.is_boarder, FALSE) AS is_boarder,
    dorm.name AS house,
    student.grade
FROM roster.students AS student
CROSS JOIN spans
LEFT JOIN counts ON counts.student_id = student.student_id AND counts."window" = spans."window"
LEFT JOIN before ON before.student_id = student.student_id AND before."window" = spans."window"
LEFT JOIN longest ON longest.student_id = student.student_id AND longest."window" = spans."window"
LEFT JOIN streaks ON streaks.student_id = student.student_id
LEFT JOIN roster.boarders AS boarder ON boarder.student_id = student.student_id
LEFT JOIN roster.dorms AS dorm ON dorm.dorm_id = boarder.dorm_id
WHERE student.is_current
ORDER BY student.student_id, spans."window";
