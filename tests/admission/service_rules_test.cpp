#include "rules.hpp"

namespace shed::test {
namespace {

constexpr const char* good_service =
    R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
  "spec": {"clusterIP": "10.96.0.9", "ports": [{"port": 80}]}})";

const Row of_services[] = {
    {"Good", R"({})"},
    {"HeadlessWithoutPorts", R"({"spec": {"clusterIP": "None", "ports": null}})"},
    {"NoPorts", R"({"spec": {"ports": null}})", {"spec.ports: Required value"}},
    {"Name",
     R"({"metadata": {"name": "a.b"}})",
     {"metadata.name: Invalid value: \"a.b\": must not contain dots"}},
    {"SeveralPorts",
     R"({"spec": {"ports": [{"port": 80}, {"name": "a", "port": 80}, {"name": "a", "port": 81}]}})",
     {"spec.ports[0].name: Required value", "spec.ports[2].name: Duplicate value: \"a\"",
      "spec.ports[1]: Duplicate value: "
      "{\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,"
      "\"TargetPort\":0,\"NodePort\":0}"}},
    {"TargetPort",
     R"({"spec": {"ports": [{"port": 80, "targetPort": "a_b"}]}})",
     {"spec.ports[0].targetPort: Invalid value: \"a_b\": must contain only alpha-numeric "
      "characters (a-z, 0-9), and "
      "hyphens (-)"}},
    {"Protocol",
     R"({"spec": {"ports": [{"port": 80, "protocol": "QUIC"}]}})",
     {"spec.ports[0].protocol: Unsupported value: \"QUIC\": supported values: \"SCTP\", \"TCP\", "
      "\"UDP\""}},
    {"Type",
     R"({"spec": {"type": "Mesh"}})",
     {"spec.type: Unsupported value: \"Mesh\": supported values: \"ClusterIP\", \"ExternalName\", "
      "\"LoadBalancer\", "
      "\"NodePort\""}},
    {"NodePortOfClusterIP",
     R"({"spec": {"ports": [{"port": 80, "nodePort": 30000}]}})",
     {"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"}},
    {"Affinity",
     R"({"spec": {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}}})",
     {"spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than "
      "0 and less than "
      "86400"}},
    {"Address",
     R"({"spec": {"clusterIP": "10.96.0"}})",
     {"spec.clusterIPs[0]: Invalid value: \"10.96.0\": must be a valid IP address, (e.g. 10.9.8.7 "
      "or "
      "2001:db8::ffff)"}},
    {"Addresses",
     R"({"spec": {"clusterIPs": ["10.96.0.8"]}})",
     {"spec.clusterIPs: Invalid value: [\"10.96.0.8\"]: first value must match `clusterIP`"}},
    {"Family",
     R"({"spec": {"ipFamilies": ["IPv6"]}})",
     {"spec.clusterIPs[0]: Invalid value: \"10.96.0.9\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`"}},
    {"ExternalName",
     R"({"spec": {"type": "ExternalName", "clusterIP": null, "ports": null}})",
     {"spec.externalName: Required value"}},
    {"LoopbackAddress",
     R"({"spec": {"externalIPs": ["127.0.0.1"]}})",
     {"spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range "
      "(127.0.0.0/8, ::1/128)"}},
    {"BalancerFields",
     R"({"spec": {"loadBalancerClass": "a.io/b", "loadBalancerSourceRanges": ["10.0.0.1/8"]}})",
     {"spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.LoadBalancerSourceRanges[0]: Invalid value: \"10.0.0.1/8\": must not have bits set "
      "beyond the prefix "
      "length",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"}},
    {"TrafficPolicy",
     R"({"spec": {"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Near"}})",
     {"spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for "
      "externally-accessible services",
      "spec.internalTrafficPolicy: Unsupported value: \"Near\": supported values: \"Cluster\", "
      "\"Local\""}},
};
SHED_RULES(ServiceRules, good_service, of_services);

const Row changes[] = {
    {"Port", R"({"spec": {"ports": [{"port": 81}]}})"},
    {"AddressLeftOut", R"({"spec": {"clusterIP": null, "clusterIPs": null}})"},
    {"OtherAddress",
     R"({"spec": {"clusterIP": "10.96.0.10"}})",
     {"spec.clusterIPs[0]: Invalid value: [\"10.96.0.10\"]: may not change once set"}},
    {"Headless",
     R"({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}})",
     {"spec.clusterIPs[0]: Invalid value: [\"None\"]: may not change once set"}},
    {"Family",
     R"({"spec": {"ipFamilies": ["IPv6"]}})",
     {"spec.ipFamilies[0]: Invalid value: [\"IPv6\"]: may not change once set",
      "spec.clusterIPs[0]: Invalid value: \"10.96.0.9\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`"}},
};
SHED_UPDATE_RULES(ServiceUpdates, good_service, changes);

}  // namespace
}  // namespace shed::test
