using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace TeleCmi.Functions.Tests;

/// <summary>The addresses, names and queues that senders, operators and host.json rely on.</summary>
public sealed class TriggerTests
{
    [Fact]
    public void App_HasTheseFunctionsAndNoOthers() =>
        Functions.Select(function => function.Name).ShouldBe(
            ["ArchivePoisonEvent", "ArchivePoisonForward", "CheckHealth", "ForwardEvent", "ProcessEvent", "ReceiveEvent", "ReceiveEventByToken", "ReconcileCalls"], ignoreOrder: true);

    [Theory]
    [InlineData("ReceiveEvent", "telecmi/events", AuthorizationLevel.Function, "get,post")]
    [InlineData("ReceiveEventByToken", "telecmi/{accessToken}/events", AuthorizationLevel.Anonymous, "get,post")]
    [InlineData("CheckHealth", "telecmi/health", AuthorizationLevel.Anonymous, "get")]
    public void Address_IsOpenToWhomTheContractSays(string name, string route, AuthorizationLevel level, string methods)
    {
        var trigger = TriggerOf<HttpTriggerAttribute>(name);

        trigger.Route.ShouldBe(route);
        trigger.AuthLevel.ShouldBe(level);
        trigger.Methods.ShouldBe(methods.Split(','));
    }

    [Fact]
    public void AccessToken_IsBoundByTheNameThatTheRouteGivesIt() =>
        Method("ReceiveEventByToken").GetParameters().ShouldContain(parameter => parameter.Name == "accessToken" && parameter.ParameterType == typeof(string));

    [Theory]
    [InlineData("ProcessEvent", "%TeleCmiEventsQueue%")]
    [InlineData("ArchivePoisonEvent", "%TeleCmiEventsQueue%-poison")]
    [InlineData("ForwardEvent", "%TeleCmiForwardsQueue%")]
    [InlineData("ArchivePoisonForward", "%TeleCmiForwardsQueue%-poison")]
    public void QueueAndAccount_ComeFromFlatSettings(string name, string queue)
    {
        var trigger = TriggerOf<QueueTriggerAttribute>(name);

        trigger.QueueName.ShouldBe(queue);
        trigger.Connection.ShouldBe("TeleCmiStorage");
    }

    [Fact]
    public void Schedule_ComesFromAFlatSetting_AndNothingRunsAtEveryStart()
    {
        var trigger = TriggerOf<TimerTriggerAttribute>("ReconcileCalls");

        trigger.Schedule.ShouldBe("%TeleCmiReconcileSchedule%");
        trigger.RunOnStartup.ShouldBeFalse();
        trigger.UseMonitor.ShouldBeTrue("a run that was missed is made up for");
    }

    // The worker calls nothing else: its source generator leaves out methods that are not public.
    [Fact]
    public void Functions_ArePublicMethodsOfPublicClasses() =>
        Functions.ShouldAllBe(function => function.Method.IsPublic && function.Method.DeclaringType!.IsPublic);

    private static IReadOnlyList<(string Name, MethodInfo Method)> Functions { get; } =
    [
        .. from type in typeof(ReceiveEvent).Assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let function = method.GetCustomAttribute<FunctionAttribute>()
           where function is not null
           select (function.Name, method),
    ];

    private static MethodInfo Method(string name) => Functions.Single(function => function.Name == name).Method;

    private static T TriggerOf<T>(string name)
        where T : Attribute =>
        Method(name).GetParameters().Select(parameter => parameter.GetCustomAttribute<T>()).OfType<T>().Single();
}
