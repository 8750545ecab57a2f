package io.javisor.lab.junit;

import io.javisor.lab.Lab;
import io.javisor.lab.LabCommand;
import io.javisor.lab.LabSpec;
import java.io.IOException;

/** Where agents run: the lab, or in tests of this package, this machine. */
interface AgentHost extends AutoCloseable {
    /** Starts an agent's JVM. */
    Process start(LabCommand command) throws IOException;

    /** Whether more can be started. */
    boolean isAlive();

    /** Evidence for failures: where its console is, and how it ends. */
    String consoleTail();

    @Override
    void close();

    /** A lab as such a place. */
    static AgentHost lab(LabSpec spec) {
        Lab lab = Lab.start(spec);
        return new AgentHost() {
            @Override
            public Process start(LabCommand command) {
                return lab.start(command);
            }

            @Override
            public boolean isAlive() {
                return lab.isAlive();
            }

            @Override
            public String consoleTail() {
                return "the lab's console (" + spec.console() + ") ends with:\n" + lab.consoleTail();
            }

            @Override
            public void close() {
                lab.close();
            }
        };
    }
}
