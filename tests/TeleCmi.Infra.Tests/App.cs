using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using TeleCmi.Functions;

namespace TeleCmi.Infra.Tests;

/// <summary>The Functions app, compiled over the worker's public API: what its triggers and settings are.</summary>
internal static class App
{
    private static readonly Assembly Assembly = typeof(ReceiveEvent).Assembly;

    private static readonly IReadOnlyList<MethodInfo> Functions =
        [.. Assembly.GetTypes().SelectMany(type => type.GetMethods()).Where(method => method.IsDefined(typeof(FunctionAttribute)))];

    public static IEnumerable<string> FunctionNames => Functions.Select(function => function.GetCustomAttribute<FunctionAttribute>()!.Name);

    public static IEnumerable<HttpTriggerAttribute> HttpTriggers => Triggers<HttpTriggerAttribute>();

    public static IEnumerable<QueueTriggerAttribute> QueueTriggers => Triggers<QueueTriggerAttribute>();

    /// <summary>The settings that the app itself reads, as environment variables.</summary>
    public static IEnumerable<string> Settings => ConstantsOf(Assembly, name => name.EndsWith("Setting", StringComparison.Ordinal))
        .Select(setting => setting.Replace(":", "__", StringComparison.Ordinal));

    /// <summary>Texts that an assembly names.</summary>
    public static IEnumerable<string> ConstantsOf(Assembly assembly, Func<string, bool> isWanted) =>
        assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .Where(field => field.IsLiteral && field.FieldType == typeof(string) && isWanted(field.Name))
            .Select(field => (string)field.GetRawConstantValue()!);

    private static IEnumerable<T> Triggers<T>()
        where T : Attribute =>
        Functions.SelectMany(function => function.GetParameters()).Select(parameter => parameter.GetCustomAttribute<T>()).OfType<T>();
}
