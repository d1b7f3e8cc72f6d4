-- A dossier is written by all who take part in it, so the database itself holds what may change of it: steps are added and
-- none is taken away, each by who may, in a state from which it leads, as the procedures say that the platform runs on.
-- What everyone may read of it follows from those steps, and is written by nobody.

create table slagkracht.procedure (
    code    text primary key,
    content jsonb not null
);
alter table slagkracht.procedure enable row level security;
alter table slagkracht.procedure force row level security;
create policy kept_by_owner on slagkracht.procedure to current_user using (true) with check (true);
create policy see on slagkracht.procedure for select
    using (slagkracht.own() is not null and slagkracht.world() is not null);
grant select on slagkracht.procedure to slagkracht_app;

create function slagkracht.guard_dossier() returns trigger language plpgsql as $$
declare
    who text := slagkracht.own();
    known jsonb := (select p.content from slagkracht.procedure p where p.code = new.procedure);
    was jsonb; state text; since timestamptz; party text; before jsonb; one jsonb; step jsonb;
begin
    if tg_op = 'INSERT' then
        if known is null or new.version <> 1 or new.content->'taken' <> '[]'
           or new.content->>'dossier' is distinct from new.dossier_id
           or new.content->>'procedure' is distinct from new.procedure
           or new.content->>'state' is distinct from known->>'begin'
           or (new.content->>'since')::timestamptz > clock_timestamp()
        then
            raise exception 'dossier % begint in de eerste toestand van een procedure van dit platform', new.dossier_id
                using errcode = 'P0001';
        end if;
        return new;
    end if;
    if new.version <> old.version + 1 then
        raise exception 'dossier % gaat één versie verder per keer', new.dossier_id using errcode = 'P0001';
    end if;
    was := old.content;
    if new.content = was and new.audience = old.audience then
        return new;  -- its class alone
    end if;
    before := was->'taken';
    state := was->>'state';
    since := was->>'since';
    if jsonb_array_length(new.content->'taken') <= jsonb_array_length(before)
       or new.content - array['taken', 'state', 'since'] <> was - array['taken', 'state', 'since']
    then
        raise exception 'een dossier wordt aangevuld met een stap, nooit gewijzigd' using errcode = 'P0001';
    end if;
    for one in select value from jsonb_array_elements(new.content->'taken') with ordinality as each (value, place)
               order by place
    loop
        if before <> '[]' then
            if one - 'at' <> (before->0) - 'at'
               or (one->>'at')::timestamptz <> (before->0->>'at')::timestamptz
            then
                raise exception 'een stap die gezet is blijft staan' using errcode = 'P0001';
            end if;
            before := before - 0;
            continue;
        end if;
        select value into step from jsonb_array_elements(known->'steps') where value->>'code' = one->>'step';
        if step is null or not step->'from_states' ? state
           or (one->>'at')::timestamptz < since or (one->>'at')::timestamptz > greatest(clock_timestamp(), since)
        then
            raise exception 'stap % kan niet in toestand % op dat moment', one->>'step', state using errcode = 'P0001';
        end if;
        if one->>'role' = 'van rechtswege' then
            if one->>'region' <> '' or one->>'actor' <> 'van rechtswege' or not exists (
                select 1 from jsonb_array_elements(known->'terms') where value->>'state' = state
                  and value->>'then' = one->>'step' and jsonb_build_object('termijn', value->'code') = one->'answers')
            then
                raise exception 'geen termijn zet stap %', one->>'step' using errcode = 'P0001';
            end if;
        else
            party := step->>'party';
            if one->>'region' is distinct from (case when who = 'LAC' then '' else who end)
               or not step->'roles' ? (one->>'role')
               or (known->'national' ? (one->>'role')) <> (who = 'LAC')
               or (slagkracht.account() is not null and not slagkracht.holds(one->>'role'))
               or (party = 'elk' and (who = 'LAC' or (not (step->>'again')::boolean and exists (
                   select 1 from jsonb_array_elements(was->'taken') where value->>'step' = one->>'step'
                     and value->>'region' = who and (value->>'at')::timestamptz >= since))))
               or (party not in ('', 'elk') and who is distinct from coalesce(
                   (select nullif(value->'answers'->>party, '') from jsonb_array_elements(was->'taken')
                        with ordinality as each (value, place) where value->'answers' ? party
                        order by place desc limit 1),
                   was->'parties'->>party))
               or exists (select 1 from jsonb_object_keys(one->'answers') as told (name)
                          where not step->'asks' ? name and (known->'parties' ? name or exists (
                              select 1 from jsonb_array_elements(known->'steps') where value->'asks' ? name)))
            then
                raise exception 'stap % is niet aan %', one->>'step', who using errcode = 'P0001';
            end if;
        end if;
        was := jsonb_set(was, '{taken}', was->'taken' || one);
        if step->>'to' not in ('', state) then
            state := step->>'to';
            since := one->>'at';
        end if;
    end loop;
    if new.content->>'state' <> state or (new.content->>'since')::timestamptz <> since then
        raise exception 'een dossier staat waar zijn stappen het brachten' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_dossier before insert or update on slagkracht.dossier
    for each row execute function slagkracht.guard_dossier();

-- Of a dossier in a public state: the steps with what its procedure makes public of them, and nobody's name.
drop function slagkracht.public_register();
create function slagkracht.public_register() returns table (dossier_id text, procedure text, content jsonb)
    language sql stable security definer set search_path = slagkracht, pg_temp as $$
    select d.dossier_id, d.procedure, d.content || jsonb_build_object('parties', '{}'::jsonb, 'taken', (
        select jsonb_agg(one || jsonb_build_object('actor', '', 'region', '', 'answers', (
            select coalesce(jsonb_object_agg(told.key, told.value), '{}') from jsonb_each(one->'answers') told
            where exists (select 1 from jsonb_array_elements(p.content->'fields') field
                          where field->>'name' = told.key and (field->>'public')::boolean))) order by place)
        from jsonb_array_elements(d.content->'taken') with ordinality as each (one, place)))
    from slagkracht.dossier d join slagkracht.procedure p on p.code = d.procedure
    where d.world = 'echt' and d.information_class = 'Open' and d.content->'taken' <> '[]' and exists (
        select 1 from jsonb_array_elements(p.content->'states') one
        where one->>'code' = d.content->>'state' and (one->>'public')::boolean)
    order by d.dossier_id $$;
revoke all on function slagkracht.public_register() from public;
grant execute on function slagkracht.public_register() to slagkracht_app;
alter table slagkracht.dossier drop column publication;
