package io.javisor.api;

import io.javisor.api.management.HostMXBean;
import io.javisor.api.management.HostManagement;
import io.javisor.memory.HostMemory;
import java.util.Map;
import java.util.TreeMap;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** The host as its management bean tells of it: looked at anew at each question. */
final class ManagedHost implements HostMXBean {
    private static final String NAME = ManagedBeans.DOMAIN + ":type=Host";

    static HostManagement register(MBeanServer server) {
        var beans = new ManagedBeans();
        ObjectName name = beans.register(server, new ManagedHost(), NAME, false);
        return new HostManagement() {
            @Override
            public ObjectName name() {
                return name;
            }

            @Override
            public void close() {
                beans.close();
            }
        };
    }

    @Override
    public boolean isUsable() {
        return Host.check().usable();
    }

    @Override
    public boolean isHyperV() {
        return Host.check().hyperV();
    }

    @Override
    public Map<String, String> getChecks() {
        var all = new TreeMap<String, String>();
        Host.check().checks().forEach(check -> all.put(check.code(), check.status() + ": " + check.what()));
        return all;
    }

    @Override
    public long getMemoryTotal() {
        return HostMemory.read().total();
    }

    @Override
    public long getMemoryAvailable() {
        return HostMemory.read().available();
    }

    @Override
    public double getMemoryPressure() {
        return HostMemory.read().pressure();
    }

    @Override
    public int getPoolMachines() {
        return HostPool.shared().machines().size();
    }

    @Override
    public long getPoolFree() {
        return HostPool.shared().free();
    }

    @Override
    public long getPoolRounds() {
        return HostPool.shared().rounds();
    }
}
