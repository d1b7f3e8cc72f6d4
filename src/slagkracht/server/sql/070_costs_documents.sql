-- What assistance costs, and the documents that procedures and claims make. A document is kept as it was made: its hash
-- stands in the log of who made it.

create table slagkracht.document (
    document_id text primary key,
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    audience    text[] not null default '{}',
    request_id  text references slagkracht.request,
    with_request boolean not null default false,
    name        text not null,
    media_type  text not null,
    sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    content     bytea not null,
    made_by     text not null,
    made_at     timestamptz not null
);
create index on slagkracht.document (request_id);

create table slagkracht.cost_entry (
    entry_id     text primary key,
    world        slagkracht.world_name not null,
    region       text not null references slagkracht.region,
    receiver     text not null references slagkracht.region,
    audience     text[] not null default '{}',
    request_id   text not null references slagkracht.request,
    kind         text not null,
    cents        bigint not null check (cents > 0),
    spent_on     date not null,
    what         text not null,
    evidence     text not null default '',
    made_by      text not null,
    made_at      timestamptz not null,
    withdrawn_at timestamptz,
    withdrawn_why text,
    check ((withdrawn_at is null) = (withdrawn_why is null))
);
create index on slagkracht.cost_entry (request_id);

create table slagkracht.claim (
    claim_id     text primary key,
    world        slagkracht.world_name not null,
    region       text not null references slagkracht.region,
    receiver     text not null references slagkracht.region,
    audience     text[] not null default '{}',
    request_id   text not null references slagkracht.request,
    counted      bigint not null check (counted >= 0),
    contribution bigint not null check (contribution > 0),
    document_id  text not null references slagkracht.document,
    decide_before timestamptz not null,
    filed_by     text not null,
    filed_at     timestamptz not null,
    granted      bigint check (granted >= 0),
    decided_why  text,
    decided_at   timestamptz,
    unique (request_id, region)
);

do $$
declare t text;
begin
    foreach t in array array['document', 'cost_entry', 'claim']
    loop
        execute format('alter table slagkracht.%I enable row level security', t);
        execute format('alter table slagkracht.%I force row level security', t);
    end loop;
end $$;

-- A letter is seen by whoever sees its request; other documents by whom they are for.
create policy see on slagkracht.document for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)
        or (with_request and exists (select 1 from slagkracht.request r where r.request_id = document.request_id))));
create policy add_own on slagkracht.document for insert
    with check (world = slagkracht.world() and region = slagkracht.own());

-- What a region spent is entered by that region, and only where it lent; seen by whom it lent to.
create policy see on slagkracht.cost_entry for select using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver) or slagkracht.own() = any (audience)));
create policy add_own on slagkracht.cost_entry for insert with check (
    world = slagkracht.world() and region = slagkracht.own() and exists (
        select 1 from slagkracht.commitment c join slagkracht.request_line l using (line_id)
        where l.request_id = cost_entry.request_id and c.region = slagkracht.own() and c.receiver = cost_entry.receiver));
create policy withdraw_own on slagkracht.cost_entry for update
    using (world = slagkracht.world() and region = slagkracht.own());

create policy see on slagkracht.claim for select using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver) or slagkracht.own() = any (audience)));
create policy file_own on slagkracht.claim for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy decide on slagkracht.claim for update
    using (world = slagkracht.world() and slagkracht.own() = 'LAC' and 'LAC' = any (audience));

grant select, insert on slagkracht.document, slagkracht.cost_entry, slagkracht.claim to slagkracht_app;
grant update (withdrawn_at, withdrawn_why) on slagkracht.cost_entry to slagkracht_app;
grant update (granted, decided_why, decided_at) on slagkracht.claim to slagkracht_app;

-- A request goes through its procedure as a dossier of its own.
alter table slagkracht.request add column dossier_id text references slagkracht.dossier;

-- A letter, a cost and a claim are of the class of the incident that was asked for.
create function slagkracht.rank_of_request(which text) returns integer language sql stable security definer
    set search_path = slagkracht, pg_temp
    as $$ select slagkracht.rank(i.information_class) from slagkracht.request q
          join slagkracht.incident i on i.incident_id = q.incident_id where q.request_id = which $$;
revoke all on function slagkracht.rank_of_request(text) from public;
grant execute on function slagkracht.rank_of_request(text) to slagkracht_app;

do $$
declare t text;
begin
    foreach t in array array['document', 'cost_entry', 'claim']
    loop
        execute format('create policy up_to_class on slagkracht.%I as restrictive to slagkracht_app using ('
            '(select slagkracht.clearance()) = 4 or coalesce(slagkracht.rank_of_request(request_id), 2) '
            '<= (select slagkracht.clearance()))', t);
    end loop;
end $$;
