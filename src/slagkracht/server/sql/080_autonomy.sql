-- What the programs keep to, the database keeps to as well: a row that speaks of another's row speaks of one that its
-- writer has a say in, what was signed or answered is not rewritten, and nothing goes a way that the ledger does not know.

-- only what may change may be changed ------------------------------------------------------------------------------------

revoke update on slagkracht.consent, slagkracht.unit, slagkracht.unit_place, slagkracht.incident, slagkracht.request,
    slagkracht.request_line, slagkracht.offer, slagkracht.commitment, slagkracht.dossier from slagkracht_app;
grant update (ended_at) on slagkracht.consent to slagkracht_app;
grant update (type_code, capabilities, crew, station, status, status_at) on slagkracht.unit to slagkracht_app;
grant update (x_m, y_m, place_at) on slagkracht.unit_place to slagkracht_app;
grant update (audience, level, closed_at, version) on slagkracht.incident to slagkracht_app;
grant update (audience, closed_at, dossier_id, version) on slagkracht.request to slagkracht_app;
grant update (audience, met, unmet, unmet_reason, version) on slagkracht.request_line to slagkracht_app;
grant update (state, reason, version) on slagkracht.offer to slagkracht_app;
grant update (step, step_at, version) on slagkracht.commitment to slagkracht_app;
grant update (content, audience, version) on slagkracht.dossier to slagkracht_app;

-- one's own stays one's own, along every reference -----------------------------------------------------------------------

alter table slagkracht.unit add unique (world, unit_id, region);
alter table slagkracht.incident add unique (incident_id, region, world);
alter table slagkracht.request add unique (request_id, region, world);
alter table slagkracht.dossier add unique (dossier_id, region, world);
alter table slagkracht.subscription add unique (subscription_id, region, world);
alter table slagkracht.unit_place add constraint of_own_unit
    foreign key (world, unit_id, region) references slagkracht.unit (world, unit_id, region);
alter table slagkracht.request add constraint for_own_incident
    foreign key (incident_id, region, world) references slagkracht.incident (incident_id, region, world);
alter table slagkracht.request add constraint with_own_dossier
    foreign key (dossier_id, region, world) references slagkracht.dossier (dossier_id, region, world);
alter table slagkracht.request_line add constraint in_own_request
    foreign key (request_id, region, world) references slagkracht.request (request_id, region, world);
alter table slagkracht.commitment add constraint of_lenders_unit
    foreign key (world, unit_id, region) references slagkracht.unit (world, unit_id, region);
alter table slagkracht.delivery add constraint of_own_subscription
    foreign key (subscription_id, region, world) references slagkracht.subscription (subscription_id, region, world);
create index on slagkracht.commitment (offer_id);

-- incidents, requests and lines: what is closed stays closed, who was let see goes on seeing -------------------------------

create function slagkracht.guard_closing() returns trigger language plpgsql as $$
declare was jsonb := to_jsonb(old); is_now jsonb := to_jsonb(new);
begin
    if not new.audience @> old.audience
       or (was->>'closed_at' is not null and is_now->'closed_at' is distinct from was->'closed_at')
       or (was->>'dossier_id' is not null and is_now->'dossier_id' is distinct from was->'dossier_id')
    then
        raise exception 'wat gesloten is blijft gesloten, en wie het ziet blijft het zien' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_closing before update on slagkracht.incident
    for each row execute function slagkracht.guard_closing();
create trigger guard_closing before update on slagkracht.request
    for each row execute function slagkracht.guard_closing();
create trigger guard_closing before update on slagkracht.request_line
    for each row execute function slagkracht.guard_closing();
create trigger guard_closing before update on slagkracht.dossier
    for each row execute function slagkracht.guard_closing();

create function slagkracht.guard_new_line() returns trigger language plpgsql as $$
begin
    if new.met <> 0 or new.unmet <> 0 or not exists (
        select 1 from slagkracht.request q where q.request_id = new.request_id and q.closed_at is null
          and q.audience = new.audience)
    then
        raise exception 'een regel wordt gevraagd aan wie de aanvraag ziet, zolang zij open is' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_new_line before insert on slagkracht.request_line
    for each row execute function slagkracht.guard_new_line();

-- A line is met by what was accepted on it and by nothing else; a request is closed when every line has its answer.
create function slagkracht.check_met() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    if (select l.met from slagkracht.request_line l where l.line_id = new.line_id) <> (
        select coalesce(sum(o.count), 0) from slagkracht.offer o where o.line_id = new.line_id and o.state = 'aanvaard')
    then
        raise exception 'regel % is vervuld met wat erop aanvaard is, niet meer en niet minder', new.line_id
            using errcode = 'P0001';
    end if;
    return null;
end $$;
create function slagkracht.check_accepted() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    if cardinality(new.units) <> (select count(*) from slagkracht.commitment c where c.offer_id = new.offer_id) then
        raise exception 'aanbod % is in zijn geheel toegezegd of niet', new.offer_id using errcode = 'P0001';
    end if;
    return null;
end $$;
create function slagkracht.check_answered() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    if exists (select 1 from slagkracht.request_line l where l.request_id = new.request_id
               and l.met + l.unmet <> l.count) then
        raise exception 'aanvraag % sluit als elke regel vervuld is of zijn reden heeft', new.request_id
            using errcode = 'P0001';
    end if;
    return null;
end $$;
create constraint trigger check_met after update on slagkracht.request_line deferrable initially deferred
    for each row when (new.met <> old.met) execute function slagkracht.check_met();
create constraint trigger check_met_by_offer after update on slagkracht.offer deferrable initially deferred
    for each row when (new.state = 'aanvaard') execute function slagkracht.check_met();
create constraint trigger check_accepted after update on slagkracht.offer deferrable initially deferred
    for each row when (new.state = 'aanvaard') execute function slagkracht.check_accepted();
create constraint trigger check_answered after update on slagkracht.request deferrable initially deferred
    for each row when (old.closed_at is null and new.closed_at is not null)
    execute function slagkracht.check_answered();

-- An offer is of one's own units, to whoever asks, on an open line that one sees; it begins as an offer or a refusal.
create function slagkracht.guard_new_offer() returns trigger language plpgsql as $$
begin
    if new.state not in ('staat', 'geweigerd') or new.region = new.receiver or not exists (
        select 1 from slagkracht.request_line l join slagkracht.request q using (request_id)
        where l.line_id = new.line_id and l.world = new.world and l.region = new.receiver and q.closed_at is null
          and new.audience <@ l.audience and new.count <= l.count)
    then
        raise exception 'op regel % is niets (meer) aan te bieden of te weigeren', new.line_id using errcode = 'P0001';
    end if;
    if exists (select 1 from unnest(new.units) as given (unit_id) where not exists (
        select 1 from slagkracht.unit u where u.world = new.world and u.unit_id = given.unit_id and u.region = new.region))
    then
        raise exception 'een regio biedt eigen eenheden aan' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_new_offer before insert on slagkracht.offer
    for each row execute function slagkracht.guard_new_offer();

create or replace function slagkracht.guard_offer() returns trigger language plpgsql as $$
begin
    if old.state <> 'staat' or new.state not in ('aanvaard', 'ingetrokken')
       or (new.state = 'ingetrokken' and old.region is distinct from slagkracht.own())
       or (new.state = 'aanvaard' and (old.region is not distinct from slagkracht.own()
                                       or new.reason is distinct from old.reason))
    then
        raise exception 'aanbod % is al %', old.offer_id, old.state using errcode = 'P0001';
    end if;
    new.version := old.version + 1;
    return new;
end $$;

-- A commitment follows its offer in everything. Each step is told by who may, and at the moment that it says: never
-- before the step that it follows, never in the future. Where nothing is said of a new one, it is now.
create or replace function slagkracht.guard_commitment() returns trigger language plpgsql as $$
declare since timestamptz; who text := slagkracht.own();
begin
    if tg_op = 'INSERT' then
        select o.made_at into since from slagkracht.offer o join slagkracht.request_line l using (line_id)
            join slagkracht.request q using (request_id)
            where o.offer_id = new.offer_id and o.world = new.world and o.region = new.region and o.state = 'staat'
              and o.receiver = new.receiver and o.line_id = new.line_id and o.audience = new.audience
              and new.unit_id = any (o.units) and q.closed_at is null;
        if new.step <> 'unit_committed' or not found then
            raise exception 'eenheid % is niet aangeboden', new.unit_id using errcode = 'P0001';
        end if;
        new.step_at := coalesce(new.step_at, clock_timestamp());
    else
        since := old.step_at;
        if not (old.step, new.step) in (
               ('unit_committed', 'unit_en_route'), ('unit_en_route', 'unit_arrived'), ('unit_arrived', 'unit_deployed'),
               ('unit_deployed', 'unit_relieved'), ('unit_relieved', 'unit_deployed'),
               ('unit_committed', 'unit_released'), ('unit_en_route', 'unit_released'),
               ('unit_arrived', 'unit_released'), ('unit_deployed', 'unit_released'),
               ('unit_relieved', 'unit_released'), ('unit_released', 'unit_home'))
        then
            raise exception 'toezegging %: % volgt niet op %', old.commitment_id, new.step, old.step
                using errcode = 'P0001';
        end if;
        if (new.step in ('unit_en_route', 'unit_arrived', 'unit_home') and who is distinct from old.region)
           or (new.step not in ('unit_en_route', 'unit_arrived', 'unit_home')
               and who is distinct from old.receiver and who is distinct from 'LAC')
        then
            raise exception 'toezegging %: % is niet aan %', old.commitment_id, new.step, who using errcode = 'P0001';
        end if;
        new.version := old.version + 1;
    end if;
    if new.step_at < since or new.step_at > greatest(clock_timestamp(), since) then
        raise exception 'toezegging %: dat moment ligt voor de vorige stap of in de toekomst', new.commitment_id
            using errcode = 'P0001';
    end if;
    return new;
end $$;

-- rotations, papers and costs --------------------------------------------------------------------------------------------

create policy for_who_leads on slagkracht.rotation as restrictive for insert to slagkracht_app with check (exists (
    select 1 from slagkracht.incident i where i.incident_id = rotation.incident_id and i.world = rotation.world
      and (i.region = slagkracht.own() or slagkracht.own() = 'LAC')));

create policy with_what_one_sees on slagkracht.document as restrictive for insert to slagkracht_app with check (
    request_id is null or exists (select 1 from slagkracht.request q where q.request_id = document.request_id
                                  and q.world = document.world));

create function slagkracht.guard_cost() returns trigger language plpgsql as $$
begin
    if (tg_op = 'UPDATE' and old.withdrawn_at is not null) or (tg_op = 'INSERT' and new.withdrawn_at is not null)
       or exists (select 1 from slagkracht.claim c where c.request_id = new.request_id and c.region = new.region)
    then
        raise exception 'een kostenpost wordt één keer teruggenomen, en staat vast zodra de rijksbijdrage gevraagd is'
            using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_cost before insert or update on slagkracht.cost_entry
    for each row execute function slagkracht.guard_cost();

-- A claim is of who lent, for what came home, on a document of one's own, and for no more than was spent.
drop policy file_own on slagkracht.claim;
create policy file_own on slagkracht.claim for insert with check (
    world = slagkracht.world() and region = slagkracht.own()
    and granted is null and decided_at is null and decided_why is null
    and exists (select 1 from slagkracht.document d where d.document_id = claim.document_id
                and d.request_id = claim.request_id and d.region = claim.region)
    and counted <= (select coalesce(sum(e.cents), 0) from slagkracht.cost_entry e where e.request_id = claim.request_id
                    and e.region = claim.region and e.withdrawn_at is null)
    and exists (select 1 from slagkracht.commitment c join slagkracht.request_line l using (line_id)
                where l.request_id = claim.request_id and c.region = claim.region and c.receiver = claim.receiver)
    and not exists (select 1 from slagkracht.commitment c join slagkracht.request_line l using (line_id)
                    where l.request_id = claim.request_id and c.region = claim.region and c.step <> 'unit_home'));
alter table slagkracht.claim add constraint never_more_than_counted check (contribution <= counted);
alter table slagkracht.claim add constraint granted_of_what_counts check (granted is null or granted <= counted);
alter table slagkracht.claim add constraint a_decision_has_a_reason check (
    (granted is null) = (decided_at is null) and (granted is null) = (decided_why is null));

create function slagkracht.guard_claim() returns trigger language plpgsql as $$
begin
    if old.decided_at is not null then
        raise exception 'over rijksbijdrage % is al beslist', old.claim_id using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_claim before update on slagkracht.claim
    for each row execute function slagkracht.guard_claim();
