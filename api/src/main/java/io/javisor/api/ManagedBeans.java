package io.javisor.api;

import io.javisor.partition.HypervisorException;
import java.util.ArrayList;
import java.util.List;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/** The management beans of one thing, in whatever servers they were registered. Closed with it. Safe from any thread. */
final class ManagedBeans implements AutoCloseable {
    static final String DOMAIN = "io.javisor";

    private record Registered(MBeanServer server, ObjectName name) {}

    private final List<Registered> all = new ArrayList<>();
    private boolean closed;

    /**
     * Registers a bean under a name, or if another has it, under the first free {@code name,number=N}, N from 2 on.
     *
     * @throws HypervisorException code {@code jmx} if the server refuses it, {@code closed} if it is too late
     */
    synchronized ObjectName register(MBeanServer server, Object bean, String name, boolean numbered) {
        if (closed) {
            throw new HypervisorException("closed", "can't register " + name + ": it is closed", null);
        }
        for (int number = 1; ; number++) {
            String wanted = number == 1 ? name : name + ",number=" + number;
            try {
                ObjectName registered =
                        server.registerMBean(bean, new ObjectName(wanted)).getObjectName();
                all.add(new Registered(server, registered));
                return registered;
            } catch (InstanceAlreadyExistsException e) {
                if (!numbered) {
                    throw refused(wanted, e, "close the other first");
                }
            } catch (JMException | SecurityException e) {
                throw refused(wanted, e, null);
            }
        }
    }

    private static HypervisorException refused(String name, Exception why, @Nullable String remedy) {
        return new HypervisorException("jmx", "can't register " + name + ": " + why, "registerMBean", 0, remedy, why);
    }

    @Override
    public synchronized void close() {
        closed = true;
        for (Registered one : all) {
            try {
                one.server.unregisterMBean(one.name);
            } catch (InstanceNotFoundException e) {
                // Somebody has taken it out already.
            } catch (JMException e) {
                System.getLogger(ManagedBeans.class.getName())
                        .log(System.Logger.Level.WARNING, "unregistering " + one.name, e);
            }
        }
        all.clear();
    }
}
