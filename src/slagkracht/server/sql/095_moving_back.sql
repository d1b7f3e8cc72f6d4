-- A move-up ends when the unit is home again: until then it is on its way back, and covers from neither. Since when its
-- last step holds stands apart from since when its place is known, which every report of a place renews.

alter table slagkracht.unit_place add column moving_back boolean not null default false;
alter table slagkracht.unit_place add column move_up_at timestamptz;
update slagkracht.unit_place set move_up_at = place_at where move_up <> '';
alter table slagkracht.unit_place add constraint who_moves_back_is_on_its_way check (not moving_back or moving_up);
alter table slagkracht.unit_place add constraint a_move_up_has_a_moment check (move_up = '' or move_up_at is not null);
grant update (moving_back, move_up_at) on slagkracht.unit_place to slagkracht_app;
