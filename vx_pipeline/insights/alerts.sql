-- attendance.alerts: figures that reach the bound of one of the school's rules, as of $as_of.
-- grain:  one row for each day asked about, student and rule that applies; the rows of $as_of are replaced
-- key:    as_of, student_id, rule
-- source: attendance.insights
--
-- A window says too little where fewer meetings count than the rule wants: those that the rate rests on.
-- since is the first day of the unbroken run of days for which insights are known and the rule applied. It is
-- worked out anew for all days, so that it does not matter in which order days are asked about.
CREATE TABLE IF NOT EXISTS attendance.alerts (
    as_of DATE, student_id BIGINT, rule VARCHAR, "window" VARCHAR, measure VARCHAR,
    value DOUBLE, threshold DOUBLE, since DATE
);

DELETE FROM attendance.alerts WHERE as_of = $as_of;

INSERT INTO attendance.alerts BY NAME
WITH rules AS (
    SELECT
        unnest($rules::VARCHAR[]) AS rule,
        unnest($windows::VARCHAR[]) AS "window",
        unnest($measures::VARCHAR[]) AS measure,
        unnest($at_least::DOUBLE[]) AS at_least,
        unnest($at_most::DOUBLE[]) AS at_most,
        unnest($fewest_sessions::BIGINT[]) AS fewest_sessions
),

figures AS (
    SELECT
        insight.as_of,
        insight.student_id,
        rules.*,
        CASE rules.measure
            WHEN 'absent' THEN insight.absent
            WHEN 'excused' THEN insight.excused
            WHEN 'unexcused' THEN insight.unexcused
            WHEN 'no_reason' THEN insight.no_reason
            WHEN 'late' THEN insight.late
            WHEN 'absent_streak' THEN insight.absent_streak
            WHEN 'rate' THEN insight.rate
        END AS value,
        insight.present + insight.late + insight.absent AS counted
    FROM attendance.insights AS insight
    JOIN rules ON rules."window" = insight."window"
    WHERE insight.as_of = $as_of
)
SELECT
    as_of,
    student_id,
    rule,
    "window",
    measure,
    value,
    coalesce(at_least, at_most) AS threshold,
    as_of AS since
FROM figures
WHERE counted >= fewest_sessions AND (value >= at_least OR value <= at_most)
ORDER BY student_id, rule;

UPDATE attendance.alerts AS alert
SET since = runs.since
FROM (
    WITH known AS (
        SELECT as_of, row_number() OVER (ORDER BY as_of) AS place
        FROM (SELECT DISTINCT as_of FROM attendance.insights)
    ),

    numbered AS (
        SELECT
            alert.as_of,
            alert.student_id,
            alert.rule,
            known.place
                - row_number() OVER (PARTITION BY alert.student_id, alert.rule ORDER BY alert.as_of) AS run
        FROM attendance.alerts AS alert
        JOIN known ON known.as_of = alert.as_of
    )
    SELECT as_of, student_id, rule, min(as_of) OVER (PARTITION BY student_id, rule, run) AS since
    FROM numbered
) AS runs
WHERE runs.as_of = alert.as_of AND runs.student_id = alert.student_id AND runs.rule = alert.rule
    AND runs.since <> alert.since;
