-- One organisation's world at size; parameters: organization, space (1 or 2), amount, runs,
-- conflicts. Statements are separated by lines of dashes.

CREATE OR REPLACE FUNCTION pg_temp.made(space int, place int, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE RETURN (
    lpad(to_hex(1700000000000 + number * 20), 12, '0') || '7' || lpad(to_hex(place * 16 + space), 3, '0')
    || '8' || left(md5(number || '.' || place || '.' || space), 15))::uuid;
------
CREATE OR REPLACE FUNCTION pg_temp.kind(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE RETURN CASE
    WHEN number % 20 < 6 THEN 'contact' WHEN number % 20 < 8 THEN 'company'
    WHEN number % 20 < 19 THEN 'deal' ELSE 'pov' END;
------
CREATE OR REPLACE FUNCTION pg_temp.pick(number bigint, salt int, words text[]) RETURNS text
LANGUAGE sql IMMUTABLE RETURN words[1 + (abs(hashint8(number * 31 + salt)::bigint) % cardinality(words))];
------
INSERT INTO organization (id, name, slug, zone)
VALUES (%(organization)s, 'Size ' || %(space)s, 'size-' || %(space)s, 'Europe/Berlin');
------
INSERT INTO app_user (id, email, email_key, name)
SELECT pg_temp.made(%(space)s, 1, n), format('p%%s@size%%s.test', n, %(space)s),
       format('p%%s@size%%s.test', n, %(space)s), 'Person ' || n
  FROM generate_series(1, 50) AS n;
------
INSERT INTO membership (organization_id, user_id, role)
SELECT %(organization)s, pg_temp.made(%(space)s, 1, n),
       CASE WHEN n = 1 THEN 'admin' WHEN n <= 5 THEN 'operator' ELSE 'pov_owner' END
  FROM generate_series(1, 50) AS n;
------
INSERT INTO connection (organization_id, id, provider, name, name_key, environment, stance, priority)
SELECT %(organization)s, pg_temp.made(%(space)s, 2, n), 'hubspot', 'HubSpot ' || n, 'hubspot ' || n,
       'simulator', CASE WHEN n = 3 THEN 'paused' ELSE 'active' END, n
  FROM generate_series(1, 3) AS n;
------
INSERT INTO stream (organization_id, id, connection_id, remote_object, kind, position)
SELECT %(organization)s, pg_temp.made(%(space)s, 3, n * 10 + k.place), pg_temp.made(%(space)s, 2, n),
       k.object, k.kind, k.place
  FROM generate_series(1, 2) AS n
 CROSS JOIN (VALUES (1, 'companies', 'company'), (2, 'contacts', 'contact'), (3, 'deals', 'pov'),
                    (4, 'deals', 'deal')) AS k (place, object, kind);
------
INSERT INTO record (organization_id, id, kind, data, external_id, title, status, owner_id, amount,
                    due_on, created_at, updated_at, version)
SELECT %(organization)s, pg_temp.made(%(space)s, 4, n), kind,
       jsonb_strip_nulls(CASE kind
         WHEN 'contact' THEN jsonb_build_object('first_name', first, 'last_name', last, 'email', email,
              'phone', '+4930' || (1000000 + n), 'city', city, 'country', 'DE', 'job_title', job,
              'company_name', word || ' ' || suffix, 'lifecycle_stage', life)
         WHEN 'company' THEN jsonb_build_object('name', word || ' ' || n || ' ' || suffix, 'domain',
              format('c%%s.test', n), 'city', city, 'industry', job, 'employees', n %% 5000,
              'lifecycle_stage', life)
         WHEN 'deal' THEN jsonb_build_object('name', word || ' ' || job || ' ' || n, 'stage', stage,
              'pipeline', 'sales', 'deal_type', type, 'campaign', 'c' || n %% 5000, 'close_date', due, 'amount',
              jsonb_build_object('amount', cents / 100 || '.' || lpad((cents %% 100)::text, 2, '0'),
                                 'currency', 'EUR'))
         ELSE jsonb_build_object('title', word || ' expansion ' || n, 'deal_id', n::text, 'stage',
              pov_stage, 'status', 'on_track', 'partner', suffix, 'forecast_date', due, 'revenue',
              jsonb_build_object('amount', cents / 100 || '.00', 'currency', 'EUR')) END),
       CASE WHEN n %% 3 = 0 THEN 'app-' || n END,
       CASE kind WHEN 'contact' THEN first || ' ' || last WHEN 'company'
            THEN word || ' ' || n || ' ' || suffix WHEN 'deal' THEN word || ' ' || job || ' ' || n
            ELSE word || ' expansion ' || n END,
       CASE kind WHEN 'deal' THEN stage WHEN 'pov' THEN pov_stage ELSE life END,
       pg_temp.made(%(space)s, 1, 1 + abs(hashint8(n)::bigint) %% 50),
       CASE WHEN kind IN ('deal', 'pov') AND n %% 31 <> 0 THEN cents END,
       CASE WHEN kind IN ('deal', 'pov') THEN due END,
       now() - interval '400 days' + n * interval '30 seconds',
       now() - abs(hashint8(n + 7)::bigint) %% 34000000 * interval '1 second', 1 + n %% 4
  FROM (SELECT n, pg_temp.kind(n) AS kind,
               pg_temp.pick(n, 1, ARRAY['Ana', 'Yusuf', 'Mia', 'Jonas', 'Priya', 'Wei', 'Olga', 'Luca',
                 'Sofia', 'Karl', 'Ines', 'Tomas', 'Nadia', 'Peter', 'Zoe', 'Hugo']) AS first,
               pg_temp.pick(n, 2, ARRAY['Silva', 'Demir', 'Novak', 'Meyer', 'Patel', 'Chen', 'Petrova',
                 'Rossi', 'Garcia', 'Larsen', 'Costa', 'Svoboda', 'Haddad', 'Brown']) || chr(97 + (n %% 26)::int)
                 || chr(97 + (n / 26 %% 26)::int) AS last,
               format('person.%%s@c%%s.test', n, n %% 9973) AS email,
               pg_temp.pick(n, 3, ARRAY['Berlin', 'Lisboa', 'Praha', 'Oslo', 'Milano', 'Leeds']) AS city,
               pg_temp.pick(n, 4, ARRAY['Head of IT', 'Buyer', 'Engineer', 'Sales', 'Owner', 'Analyst',
                 'Planner', 'Support']) AS job,
               pg_temp.pick(n, 5, ARRAY['Nordlicht', 'Fjord', 'Atlas', 'Quanta', 'Lumen', 'Helix',
                 'Vertex', 'Orchid', 'Granite', 'Harbour', 'Meadow', 'Summit']) AS word,
               pg_temp.pick(n, 6, ARRAY['GmbH', 'Ltd', 'SA', 'Oy', 'BV']) AS suffix,
               pg_temp.pick(n, 7, ARRAY['lead', 'customer', 'subscriber', 'opportunity']) AS life,
               pg_temp.pick(n, 8, ARRAY['new', 'qualified', 'proposal', 'decision', 'contract', 'won',
                 'lost']) AS stage,
               pg_temp.pick(n, 9, ARRAY['planned', 'running', 'evaluation', 'won', 'lost']) AS pov_stage,
               pg_temp.pick(n, 10, ARRAY['newbusiness', 'existingbusiness', 'renewal', 'upsell',
                 'partner']) AS type,
               100 + abs(hashint8(n * 17)::bigint) %% 9999900 AS cents,
               DATE '2025-01-01' + (abs(hashint8(n + 3)::bigint) %% 1000)::int AS due
          FROM generate_series(1::bigint, %(amount)s) AS n) AS base;
------
INSERT INTO record_key (organization_id, record_id, kind, key_type, value, strong)
SELECT organization_id, id, kind, k.type, k.value, k.strong
  FROM record r CROSS JOIN LATERAL (VALUES
       ('email', data ->> 'email', true), ('phone', data ->> 'phone', false),
       ('domain', data ->> 'domain', true), ('exact', data ->> 'deal_id', true),
       ('name', lower(title), false)) AS k (type, value, strong)
 WHERE k.value IS NOT NULL AND organization_id = %(organization)s;
------
INSERT INTO reference (organization_id, record_id, field, position, target_id)
SELECT organization_id, id, CASE WHEN kind = 'pov' THEN 'customer' ELSE 'company' END, 0,
       pg_temp.made(%(space)s, 4, 6 + 20 * (abs(hashint8(version + created_row_number)::bigint)
                                            %% greatest(1, %(amount)s / 20)))
  FROM (SELECT *, row_number() OVER () AS created_row_number FROM record
         WHERE organization_id = %(organization)s AND kind IN ('deal', 'pov', 'contact')) r;
------
INSERT INTO link (organization_id, id, connection_id, stream_id, record_id, remote_object, remote_id,
                  status, base_ours, base_theirs, error, ours_version, agreed_at)
SELECT r.organization_id, pg_temp.made(%(space)s, 5, row_number() OVER ()), s.connection_id, s.id, r.id,
       s.remote_object, (100000 + row_number() OVER ())::text, 'linked',
       jsonb_build_object('title', r.title), jsonb_build_object('dealname', r.title),
       CASE WHEN abs(hashint8(row_number() OVER ())::bigint) %% 500 = 0
            THEN 'HubSpot refused the value of Close date.' END, r.version,
       r.updated_at
  FROM record r
  JOIN stream s ON s.organization_id = r.organization_id AND s.kind = r.kind
   AND (s.connection_id = pg_temp.made(%(space)s, 2, 1) OR r.kind = 'pov')
 WHERE r.organization_id = %(organization)s;
------
INSERT INTO outbox (organization_id, stream_id, record_id, version)
SELECT organization_id, stream_id, record_id, 2 FROM link
 WHERE organization_id = %(organization)s ORDER BY id LIMIT 1000;
------
INSERT INTO conflict (organization_id, id, link_id, stream_id, record_id, connection_id, rule_id, field,
                      base, ours, theirs, ours_at, state, how, resolved_at, created_at)
SELECT organization_id, pg_temp.made(%(space)s, 6, n), id, stream_id, record_id, connection_id, 'r1',
       CASE WHEN remote_object = 'contacts' THEN 'job_title' ELSE 'stage' END,
       '{"v": "new"}', '{"v": "won"}', '{"v": "lost"}', now(),
       CASE WHEN n %% 5 < 3 THEN 'open' ELSE 'resolved' END,
       CASE WHEN n %% 5 = 3 THEN 'by_policy' WHEN n %% 5 = 4 THEN 'ours' END,
       CASE WHEN n %% 5 >= 3 THEN now() - n * interval '5 minutes' END,
       now() - n * interval '5 minutes'
  FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM link
         WHERE organization_id = %(organization)s LIMIT %(conflicts)s) AS l;
------
INSERT INTO sync_run (organization_id, id, connection_id, mode, trigger, by_name, state, staged, plan_hash, counts, total,
                      reason, created_at, started_at, finished_at, expires_at)
SELECT %(organization)s, pg_temp.made(%(space)s, 7, n), pg_temp.made(%(space)s, 2, 1 + n %% 3),
       CASE WHEN n %% 50 = 0 THEN 'full' ELSE 'delta' END,
       CASE WHEN n %% 9 = 0 THEN 'manual' ELSE 'schedule' END, CASE WHEN n %% 9 = 0 THEN 'Person 1' END,
       state, state = 'planned', CASE WHEN state = 'planned' THEN 'bench' END, jsonb_build_object('read', n %% 400, 'theirs', jsonb_build_object('updated', n %% 7)),
       n %% 400, CASE WHEN state IN ('failed', 'partial') THEN 'HubSpot did not answer in time.' END,
       at, at, CASE WHEN state <> 'planned' THEN at + interval '9 seconds' END, at + interval '2 hours'
  FROM (SELECT n, now() - (%(runs)s - n) * (interval '399 days' / %(runs)s) AS at,
               CASE WHEN n %% 100 < 90 THEN 'succeeded' WHEN n %% 100 < 95 THEN 'partial'
                    WHEN n %% 100 < 98 THEN 'failed' WHEN n %% 100 < 99 THEN 'cancelled'
                    ELSE 'planned' END AS state
          FROM generate_series(1::bigint, %(runs)s) AS n) AS base;
------
INSERT INTO operation (organization_id, run_at, id, run_id, record_id, link_id, stream_id, remote_object,
                       remote_id, side, action, fields, label, reason, reason_code, state, error, at)
SELECT %(organization)s, r.created_at, pg_temp.made(%(space)s, 8, l.n), r.id, l.record_id, l.id, l.stream_id,
       l.remote_object, l.remote_id, 'theirs', 'update',
       '{"stage": ["new", "won", "send", "r1"]}', 'Record ' || l.n, 'Changed in CRM Admin.', 'send',
       CASE WHEN l.n %% 50 = 0 THEN 'failed' ELSE 'done' END,
       CASE WHEN l.n %% 50 = 0 THEN 'HubSpot refused the value.' END, r.created_at
  FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM link WHERE organization_id = %(organization)s) l
  JOIN sync_run r ON r.organization_id = l.organization_id
   AND r.id = pg_temp.made(%(space)s, 7, greatest(1, %(runs)s - (l.n / 10)::bigint))
 WHERE l.n <= %(amount)s;
------
INSERT INTO field_def (organization_id, id, kind, name, label, type)
VALUES (%(organization)s, pg_temp.made(%(space)s, 9, 1), 'deal', 'campaign', 'Campaign', 'string');
