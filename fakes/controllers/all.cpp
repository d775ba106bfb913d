#include "fakes/controllers/common.hpp"

namespace shed {

namespace controllers {

Controller trainjob_controller();
Controller jobset_controller();
Controller jobset_placement_controller();
Controller job_controller();
Controller scheduler();
Controller garbage_collector();
Controller namespace_controller();
Controller namespace_furniture_controller();

}  // namespace controllers

const std::vector<Controller>& all_controllers() {
    static const std::vector<Controller> all = {
        controllers::trainjob_controller(),   controllers::jobset_controller(),
        controllers::job_controller(),        controllers::jobset_placement_controller(),
        controllers::scheduler(),             controllers::garbage_collector(),
        controllers::namespace_controller(),  controllers::namespace_furniture_controller()};
    return all;
}

}  // namespace shed
