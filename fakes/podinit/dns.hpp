#pragma once
// The cluster's name server: answers A queries from a table in a file (protocol.hpp), over UDP. It goes on with the last
// table it read while the control plane is away.
#include <map>
#include <string>

namespace shed::podinit {

class NameServer {
public:
    // Binds the DNS address; "" or why not.
    std::string open();
    std::string load(const std::string& path);
    int descriptor() const { return socket_; }
    void answer_one();  // reads one query from the socket and answers it
    // The answer to one query (RFC 1035), "" when it is none: one question of class IN, else an error code.
    std::string reply_to(const std::string& query) const;

private:
    std::map<std::string, std::string, std::less<>> addresses_;  // "" when known but without address
    int socket_ = -1;
};

}  // namespace shed::podinit
