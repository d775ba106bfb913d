#pragma once
// metrics.k8s.io/v1beta1, as metrics-server v0.8 answers it (pkg/api), for `kubectl top`. It has no
// objects: who knows what pods use is asked at each request.
#include "fakes/apiserver/apiserver.hpp"

namespace shed {

// The answer to a request below /apis/metrics.k8s.io; nullopt for any other path.
std::optional<Response> answer_metrics(const Store& store, PodMetrics& metrics,
                                       std::string_view method, const Target& target, Time now);
// Adds the group to what /apis answers: an APIGroupList or, aggregated, an APIGroupDiscoveryList.
Response with_metrics_group(Response groups, std::string_view if_none_match);

}  // namespace shed
