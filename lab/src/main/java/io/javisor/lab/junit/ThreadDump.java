package io.javisor.lab.junit;

import java.util.Map;
import java.util.TreeMap;

/** The stacks of this JVM's platform threads as text. */
final class ThreadDump {
    private ThreadDump() {}

    static String ofAllThreads() {
        Map<String, String> byName = new TreeMap<>();
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            StringBuilder text = new StringBuilder("\"" + thread.getName() + "\" " + thread.getState() + "\n");
            for (StackTraceElement frame : frames) {
                text.append("    at ").append(frame).append('\n');
            }
            byName.put(thread.getName() + "#" + thread.threadId(), text.toString());
        });
        return String.join("\n", byName.values());
    }
}
