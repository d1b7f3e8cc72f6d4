-- The ground of the platform. Every row belongs to a region (or to the national action centre, LAC) and to one world
-- ('echt' or 'oefening'). Who asks is set per transaction; where it is not set there are no rows.

create schema slagkracht;

create function slagkracht.own() returns text language sql stable
    return nullif(current_setting('slagkracht.region', true), '');
create function slagkracht.world() returns text language sql stable
    return nullif(current_setting('slagkracht.world', true), '');
create function slagkracht.account() returns bigint language sql stable
    return nullif(current_setting('slagkracht.account', true), '')::bigint;

create domain slagkracht.world_name as text check (value in ('echt', 'oefening'));
create domain slagkracht.class_name as text check (value in ('Open', 'Intern', 'Vertrouwelijk', 'Geheim'));

create table slagkracht.region (
    region text primary key check (region ~ '^(VR[0-9]{2}|LAC)$'),
    name   text not null
);

-- who may do what ------------------------------------------------------------------------------------------------------

create table slagkracht.person (
    person_id  bigint generated always as identity primary key,
    account_id bigint not null unique,
    region     text not null references slagkracht.region,
    name       text not null
);

create table slagkracht.mandate (
    mandate_id bigint generated always as identity primary key,
    account_id bigint not null,
    region     text not null references slagkracht.region,
    role       text not null,
    what       text not null default '',
    information_class slagkracht.class_name not null default 'Intern',
    world      slagkracht.world_name not null,
    starts_at  timestamptz not null default now(),
    until      timestamptz not null,
    check (until > starts_at)
);
create index on slagkracht.mandate (account_id);

-- sharing is the owner's consent, read again at every look ---------------------------------------------------------------

create table slagkracht.consent (
    consent_id text primary key,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    receiver   text not null references slagkracht.region,
    tier       text not null check (tier in ('beschikbaarheid', 'plaats', 'volledig')),
    redaction  text[] not null default '{}',
    starts_at  timestamptz not null default now(),
    until      timestamptz not null,
    ended_at   timestamptz,
    check (receiver <> region)
);
create index on slagkracht.consent (world, receiver);

create function slagkracht.shares(owner text, at_least text) returns boolean language sql stable
    return exists (
        select 1 from slagkracht.consent c
        where c.world = slagkracht.world() and c.region = owner and c.receiver = slagkracht.own()
          and c.ended_at is null and c.starts_at <= clock_timestamp() and clock_timestamp() < c.until
          and array_position(array['beschikbaarheid', 'plaats', 'volledig'], c.tier)
              >= array_position(array['beschikbaarheid', 'plaats', 'volledig'], at_least)
    );

create function slagkracht.redacts(owner text, field text) returns boolean language sql stable
    return owner <> slagkracht.own() and not exists (
        select 1 from slagkracht.consent c
        where c.world = slagkracht.world() and c.region = owner and c.receiver = slagkracht.own()
          and c.ended_at is null and c.starts_at <= clock_timestamp() and clock_timestamp() < c.until
          and not (field = any (c.redaction))
    );

-- units ------------------------------------------------------------------------------------------------------------------

create table slagkracht.unit (
    world        slagkracht.world_name not null,
    unit_id      text not null,
    region       text not null references slagkracht.region,
    type_code    text not null,
    capabilities text[] not null,
    crew         integer not null check (crew >= 0),
    station      text not null,
    status       text not null default 'available',
    status_at    timestamptz,
    primary key (world, unit_id)
);
create index on slagkracht.unit (world, region);

create table slagkracht.unit_place (
    world    slagkracht.world_name not null,
    unit_id  text not null,
    region   text not null references slagkracht.region,
    x_m      double precision not null,
    y_m      double precision not null,
    place_at timestamptz not null,
    primary key (world, unit_id),
    foreign key (world, unit_id) references slagkracht.unit
);

-- request → offer → commitment -------------------------------------------------------------------------------------------
-- audience: who takes part besides the owner of the row.

create table slagkracht.incident (
    incident_id text primary key,
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    audience    text[] not null default '{}',
    information_class slagkracht.class_name not null default 'Intern',
    what        text not null,
    x_m         double precision not null,
    y_m         double precision not null,
    level       text not null default '',
    opened_at   timestamptz not null,
    closed_at   timestamptz,
    version     integer not null default 1
);

create table slagkracht.request (
    request_id  text primary key,
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    audience    text[] not null,
    incident_id text not null references slagkracht.incident,
    ground      text not null check (ground in ('wvr51_minister', 'wvr51_5_buurregio')),
    mandate     text not null,
    signed_by   text not null,
    text        text not null default '',
    made_at     timestamptz not null,
    closed_at   timestamptz,
    version     integer not null default 1
);

create table slagkracht.request_line (
    line_id      text primary key,
    world        slagkracht.world_name not null,
    region       text not null references slagkracht.region,
    audience     text[] not null,
    request_id   text not null references slagkracht.request,
    formation    text not null,
    capability   text not null,
    count        integer not null check (count > 0),
    met          integer not null default 0 check (met >= 0),
    x_m          double precision not null,
    y_m          double precision not null,
    needed_by    timestamptz not null,
    hours        double precision not null check (hours > 0),
    unmet        integer not null default 0 check (unmet >= 0),
    unmet_reason text,
    version      integer not null default 1,
    constraint never_more_than_asked check (met + unmet <= count),
    constraint unmet_has_a_reason check (unmet = 0 or unmet_reason is not null)
);
create index on slagkracht.request_line (request_id);

create table slagkracht.offer (
    offer_id   text primary key,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    receiver   text not null references slagkracht.region,
    audience   text[] not null,
    line_id    text not null references slagkracht.request_line,
    units      text[] not null,
    count      integer not null check (count >= 0),
    conditions text not null default '',
    knowingly  text not null default '',
    state      text not null check (state in ('staat', 'geweigerd', 'ingetrokken', 'aanvaard')),
    reason     text,
    made_at    timestamptz not null,
    version    integer not null default 1,
    constraint an_offer_has_units check (state = 'geweigerd' or (cardinality(units) > 0 and count > 0)),
    constraint a_refusal_has_a_reason check (state not in ('geweigerd', 'ingetrokken') or reason is not null)
);
create index on slagkracht.offer (line_id);

create table slagkracht.commitment (
    commitment_id text primary key,
    world         slagkracht.world_name not null,
    region        text not null references slagkracht.region,
    receiver      text not null references slagkracht.region,
    audience      text[] not null,
    offer_id      text not null references slagkracht.offer,
    line_id       text not null references slagkracht.request_line,
    unit_id       text not null,
    step          text not null,
    step_at       timestamptz not null,
    version       integer not null default 1,
    foreign key (world, unit_id) references slagkracht.unit
);
create index on slagkracht.commitment (line_id);
-- A unit can never be committed twice: not by agreement of programs, but because the database has no room for it.
create unique index one_commitment_per_unit on slagkracht.commitment (world, unit_id) where step <> 'unit_home';

-- A commitment begins with what its owner offered, and moves only along the steps that follow each other.
create function slagkracht.guard_commitment() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.step <> 'unit_committed' or not exists (
            select 1 from slagkracht.offer o
            where o.offer_id = new.offer_id and o.world = new.world and o.region = new.region and o.state = 'staat'
              and o.receiver = new.receiver and o.line_id = new.line_id and new.unit_id = any (o.units)
        ) then
            raise exception 'eenheid % is niet aangeboden', new.unit_id using errcode = 'P0001';
        end if;
        new.step_at := clock_timestamp();
        return new;
    end if;
    if (new.commitment_id, new.world, new.region, new.receiver, new.offer_id, new.line_id, new.unit_id)
       is distinct from (old.commitment_id, old.world, old.region, old.receiver, old.offer_id, old.line_id, old.unit_id)
       or not (old.step, new.step) in (
           ('unit_committed', 'unit_en_route'), ('unit_en_route', 'unit_arrived'), ('unit_arrived', 'unit_deployed'),
           ('unit_deployed', 'unit_relieved'), ('unit_relieved', 'unit_deployed'), ('unit_committed', 'unit_released'),
           ('unit_en_route', 'unit_released'), ('unit_arrived', 'unit_released'), ('unit_deployed', 'unit_released'),
           ('unit_relieved', 'unit_released'), ('unit_released', 'unit_home'))
    then
        raise exception 'toezegging %: % volgt niet op %', old.commitment_id, new.step, old.step using errcode = 'P0001';
    end if;
    new.version := old.version + 1;
    new.step_at := clock_timestamp();
    return new;
end $$;
create trigger guard_commitment before insert or update on slagkracht.commitment
    for each row execute function slagkracht.guard_commitment();

-- An offer is answered once, and only its owner takes it back.
create function slagkracht.guard_offer() returns trigger language plpgsql as $$
begin
    if old.state <> 'staat' or new.state not in ('aanvaard', 'ingetrokken')
       or (new.state = 'ingetrokken' and old.region is distinct from slagkracht.own())
       or (new.state = 'aanvaard' and old.region is not distinct from slagkracht.own())
       or (new.offer_id, new.world, new.region, new.receiver, new.line_id, new.units, new.count, new.audience)
          is distinct from
          (old.offer_id, old.world, old.region, old.receiver, old.line_id, old.units, old.count, old.audience)
    then
        raise exception 'aanbod % is al %', old.offer_id, old.state using errcode = 'P0001';
    end if;
    new.version := old.version + 1;
    return new;
end $$;
create trigger guard_offer before update on slagkracht.offer
    for each row execute function slagkracht.guard_offer();

-- the log ----------------------------------------------------------------------------------------------------------------

create table slagkracht.event (
    world         slagkracht.world_name not null,
    chain         text not null references slagkracht.region,
    number        bigint not null check (number > 0),
    audience      text[] not null default '{}',
    kind          text not null,
    happened_at   timestamptz not null,
    recorded_at   timestamptz not null,
    actor         text not null,
    body          jsonb not null,
    hash          text not null,
    line          text not null,
    tx            xid8 not null default pg_current_xact_id(),
    primary key (world, chain, number)
);
create index on slagkracht.event (world, happened_at);
-- A live stream reads in order of transaction, and only what no running transaction can come before: so a client that
-- comes back after an event has missed nothing and gets nothing twice.
create index on slagkracht.event (world, tx, chain, number);

create function slagkracht.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'het logboek wordt aangevuld, nooit gewijzigd' using errcode = 'P0001';
end $$;
create trigger append_only before update or delete on slagkracht.event
    for each row execute function slagkracht.refuse_change();
create trigger never_emptied before truncate on slagkracht.event
    for each statement execute function slagkracht.refuse_change();

create function slagkracht.announce() returns trigger language plpgsql as $$
begin
    perform pg_notify('slagkracht_event', new.tx::text);
    return null;
end $$;
create trigger announce after insert on slagkracht.event for each row execute function slagkracht.announce();

create table slagkracht.checkpoint (
    world     slagkracht.world_name not null,
    chain     text not null references slagkracht.region,
    number    bigint not null,
    hash      text not null,
    at        text not null,
    key       text not null,
    signature text not null,
    primary key (world, chain, number, key)
);

-- procedures and decisions -----------------------------------------------------------------------------------------------

create table slagkracht.dossier (
    dossier_id text primary key,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    audience   text[] not null,
    procedure  text not null,
    content    jsonb not null,
    version    integer not null default 1
);

create table slagkracht.board_decision (
    decision_id bigint generated always as identity primary key,
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    body        text not null,
    plan_name   text not null,
    receipt     text not null,
    outcome     text not null,
    decided_on  date not null,
    starts      date,
    ends        date,
    reservation text not null default ''
);

-- an answer given once is given again, not made again
create table slagkracht.answered (
    world      slagkracht.world_name not null,
    region     text not null,
    account_id bigint not null,
    key        text not null,
    asked      text not null,
    status     integer not null,
    answer     text not null,
    at         timestamptz not null default now(),
    primary key (world, account_id, key)
);

-- autonomy, enforced -----------------------------------------------------------------------------------------------------

do $$
declare t text;
begin
    foreach t in array array['person', 'mandate', 'consent', 'unit', 'unit_place', 'incident', 'request', 'request_line',
                             'offer', 'commitment', 'event', 'checkpoint', 'dossier', 'board_decision', 'answered']
    loop
        execute format('alter table slagkracht.%I enable row level security', t);
        execute format('alter table slagkracht.%I force row level security', t);
    end loop;
end $$;

create policy own_person on slagkracht.person for select
    using (region = slagkracht.own() or account_id = slagkracht.account());
create policy own_mandate on slagkracht.mandate for select
    using (account_id = slagkracht.account() or (region = slagkracht.own() and world = slagkracht.world()));

create policy see on slagkracht.consent for select
    using (world = slagkracht.world() and slagkracht.own() in (region, receiver));
create policy give on slagkracht.consent for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy stop on slagkracht.consent for update
    using (world = slagkracht.world() and region = slagkracht.own());

create policy see on slagkracht.unit for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.shares(region, 'beschikbaarheid')
        or exists (select 1 from slagkracht.commitment c where c.world = unit.world and c.unit_id = unit.unit_id
                   and c.step <> 'unit_home' and slagkracht.own() = any (c.receiver || c.audience))));
create policy add_own on slagkracht.unit for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy change_own on slagkracht.unit for update
    using (world = slagkracht.world() and region = slagkracht.own());

create policy see on slagkracht.unit_place for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.shares(region, 'plaats')
        or exists (select 1 from slagkracht.commitment c where c.world = unit_place.world
                   and c.unit_id = unit_place.unit_id and c.step <> 'unit_home'
                   and slagkracht.own() = any (c.receiver || c.audience))));
create policy add_own on slagkracht.unit_place for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy change_own on slagkracht.unit_place for update
    using (world = slagkracht.world() and region = slagkracht.own());

create policy see on slagkracht.incident for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)
        or slagkracht.shares(region, 'volledig')));
create policy add_own on slagkracht.incident for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy change_own on slagkracht.incident for update
    using (world = slagkracht.world() and region = slagkracht.own());

-- A request is its requester's; the centre leads where it was asked to.
create policy see on slagkracht.request for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)));
create policy add_own on slagkracht.request for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy lead on slagkracht.request for update using (
    world = slagkracht.world() and (region = slagkracht.own()
        or (slagkracht.own() = 'LAC' and 'LAC' = any (audience))));

create policy see on slagkracht.request_line for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)));
create policy add_own on slagkracht.request_line for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy lead on slagkracht.request_line for update using (
    world = slagkracht.world() and (region = slagkracht.own()
        or (slagkracht.own() = 'LAC' and 'LAC' = any (audience))));

create policy see on slagkracht.offer for select using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver) or slagkracht.own() = any (audience)));
create policy add_own on slagkracht.offer for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy answer on slagkracht.offer for update using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver)
        or (slagkracht.own() = 'LAC' and 'LAC' = any (audience))));

create policy see on slagkracht.commitment for select using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver) or slagkracht.own() = any (audience)));
create policy accept on slagkracht.commitment for insert with check (
    world = slagkracht.world() and (slagkracht.own() = receiver
        or (slagkracht.own() = 'LAC' and 'LAC' = any (audience))));
create policy move on slagkracht.commitment for update using (
    world = slagkracht.world() and (slagkracht.own() in (region, receiver)
        or (slagkracht.own() = 'LAC' and 'LAC' = any (audience))));

create policy see on slagkracht.event for select using (
    world = slagkracht.world() and (chain = slagkracht.own() or slagkracht.own() = any (audience)
        or slagkracht.shares(chain, 'volledig')));
create policy append_own on slagkracht.event for insert
    with check (world = slagkracht.world() and chain = slagkracht.own());

-- Checkpoints say nothing but that a log exists: everyone may hold everyone's.
create policy see on slagkracht.checkpoint for select
    using (world = slagkracht.world() and slagkracht.own() is not null);
create policy sign_own on slagkracht.checkpoint for insert
    with check (world = slagkracht.world() and chain = slagkracht.own());

create policy see on slagkracht.dossier for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)));
create policy open_own on slagkracht.dossier for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
create policy take_part on slagkracht.dossier for update using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)));

-- A board's decision is public among the regions.
create policy see on slagkracht.board_decision for select
    using (world = slagkracht.world() and slagkracht.own() is not null);
create policy decide_own on slagkracht.board_decision for insert
    with check (world = slagkracht.world() and region = slagkracht.own());

create policy own_answers on slagkracht.answered
    using (world = slagkracht.world() and region = slagkracht.own() and account_id = slagkracht.account())
    with check (world = slagkracht.world() and region = slagkracht.own() and account_id = slagkracht.account());

-- what the application may touch -----------------------------------------------------------------------------------------

grant usage on schema slagkracht to slagkracht_app;
grant select on slagkracht.region, slagkracht.person, slagkracht.mandate to slagkracht_app;
grant select, insert on slagkracht.event, slagkracht.checkpoint, slagkracht.board_decision to slagkracht_app;
grant select, insert, update on slagkracht.consent, slagkracht.unit, slagkracht.unit_place, slagkracht.incident,
    slagkracht.request, slagkracht.request_line, slagkracht.offer, slagkracht.commitment, slagkracht.dossier
    to slagkracht_app;
grant select, insert on slagkracht.answered to slagkracht_app;
